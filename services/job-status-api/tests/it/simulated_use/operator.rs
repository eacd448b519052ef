//! Whoever runs the programs: kills them and starts them again, keeps house, and notes what they take.

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use test_stack::{INGESTION, INGESTION_API, JOB_STATUS_API, NOOP_RECOGNISER, Random, Stack, TEMPORAL, wait_until};

use super::{Course, World};

const PROGRAMS: [&str; 5] = [INGESTION, NOOP_RECOGNISER, INGESTION_API, JOB_STATUS_API, TEMPORAL];

const TICK: Duration = Duration::from_millis(100);
const BETWEEN_SAMPLES: Duration = Duration::from_secs(5);

/// Seconds for which an upload has to lie about before a round takes it away that is held during use.
const SWEEP_AGE_S: u64 = 60;

/// Half of what Temporal ends a workflow at.
const MOST_EVENTS: u64 = 51_200 / 2;
const MOST_BYTES: u64 = 50 * 1024 * 1024 / 2;

/// What a program of Longhand may take at any time, and by how much in the last quarter than in the one before.
const MOST_MB: u64 = 256;
const MOST_GROWTH: f64 = 1.15;
/// Allocators take and give memory in pieces.
const SLACK_MB: f64 = 6.0;
/// Fewer samples of a quarter say nothing.
const SAMPLES: usize = 12;

pub(super) struct Operator<'a> {
    stack: &'a mut Stack,
    course: Course,
    random: Random,
    began: Instant,
    killed: BTreeMap<&'static str, usize>,
    kills: usize,
    rounds: usize,
    samples: Vec<Sample>,
}

struct Sample {
    at: Duration,
    operations: usize,
    /// Of each of [`PROGRAMS`].
    memory_mb: [u64; 5],
}

impl<'a> Operator<'a> {
    pub(super) fn new(stack: &'a mut Stack, course: Course) -> Self {
        let (killed, samples, random) = (BTreeMap::new(), Vec::new(), Random::new(course.seed));
        Self { stack, course, random, began: Instant::now(), killed, kills: 0, rounds: 0, samples }
    }

    pub(super) fn look_after(&mut self, world: &World, is_over: impl Fn() -> bool) {
        while !is_over() {
            thread::sleep(TICK);
            let operations = world.operations();
            if self.samples.last().is_none_or(|last| self.began.elapsed() > last.at + BETWEEN_SAMPLES) {
                self.take_sample(operations);
            }
            let Course { operations: all, kills, rounds_of_housekeeping, .. } = self.course;
            if self.kills < kills && operations >= (self.kills + 1) * (all / 2) / (kills + 1) {
                self.kill_one();
            }
            if operations >= (self.rounds + 1) * all / (rounds_of_housekeeping + 1) {
                self.begin_housekeeping(SWEEP_AGE_S);
            }
        }
    }

    fn kill_one(&mut self) {
        let program = *self.random.one_of(&PROGRAMS);
        self.kills += 1;
        *self.killed.entry(program).or_default() += 1;
        self.stack.kill_and_start(program);
    }

    /// As the server's schedule does, but sooner.
    fn begin_housekeeping(&mut self, min_age_s: u64) -> String {
        self.rounds += 1;
        let id = format!("housekeeping/{}", self.rounds);
        let input = json!({ "min_age_s": min_age_s, "retain": true, "asked_by": "simulated use" }).to_string();
        let start = ["workflow", "start", "--type", "housekeeping", "--task-queue", "longhand"];
        let started = self.stack.temporal(&[&start[..], &["--workflow-id", &id, "--input", &input]].concat());
        assert!(started.status.success(), "{}", String::from_utf8_lossy(&started.stderr));
        id
    }

    fn take_sample(&mut self, operations: usize) {
        let memory_mb = PROGRAMS.map(|program| self.stack.memory_mb(program));
        self.samples.push(Sample { at: self.began.elapsed(), operations, memory_mb });
    }

    /// Waits until nothing goes on, and has all taken away that is not to be kept: first what jobs need whose time is
    /// over, then what nobody needs.
    pub(super) fn tidy_up(&mut self) {
        self.wait_until_idle();
        for _ in 0..2 {
            self.begin_housekeeping(0);
            self.wait_until_idle();
        }
        let found = self.stack.json(["store", "sweep", "--dry-run", "--min-age-hours", "0", "--json"]);
        assert_eq!(found["leftovers"], json!([]), "nobody refers to it");
    }

    fn wait_until_idle(&self) {
        wait_until("no workflow runs", || {
            let open = self.workflows("ExecutionStatus = 'Running'");
            open.is_some_and(|open| open.is_empty())
        });
    }

    fn workflows(&self, query: &str) -> Option<Vec<Value>> {
        let listed =
            self.stack.temporal(&["workflow", "list", "--query", query, "--limit", "100000", "--output", "json"]);
        serde_json::from_slice(&listed.stdout).ok()
    }

    /// Says what was measured, and checks that it stays within its bounds.
    pub(super) fn report(&self) {
        let Course { seed, operations, .. } = self.course;
        let (elapsed, killed, rounds) = (self.began.elapsed().as_secs(), &self.killed, self.rounds);
        eprintln!(
            "seed {seed}: {operations} operations in {elapsed} s, killed {killed:?}, {rounds} rounds of housekeeping"
        );
        eprintln!("seconds, operations, MB of {PROGRAMS:?}");
        for sample in self.samples.iter().step_by(self.samples.len().div_ceil(20)) {
            eprintln!("{:>6} {:>6} {:?}", sample.at.as_secs(), sample.operations, sample.memory_mb);
        }
        self.check_histories();
        self.check_memory();
    }

    fn check_histories(&self) {
        let all =
            self.workflows("WorkflowType IN ('transcribe', 'batch', 'deliver', 'purge', 'housekeeping')").unwrap();
        let number = |workflow: &Value, field: &str| workflow[field].as_str().unwrap_or("0").parse::<u64>().unwrap();
        let most = |field| all.iter().map(|workflow| number(workflow, field)).max().unwrap_or_default();
        let (events, bytes) = (most("historyLength"), most("historySizeBytes"));
        eprintln!(
            "{} workflows are known; the longest history has {events} events, the largest {bytes} bytes",
            all.len()
        );
        assert!(events > 0 && events < MOST_EVENTS && bytes < MOST_BYTES);
    }

    fn check_memory(&self) {
        // Temporal's dev server is not ours.
        for (index, program) in PROGRAMS.iter().enumerate().filter(|(_, program)| **program != TEMPORAL) {
            let memory = |sample: &Sample| sample.memory_mb[index];
            let peak = self.samples.iter().map(memory).max().unwrap_or_default();
            assert!(peak <= MOST_MB, "{program} has taken {peak} MB");
            let quarter = |from: usize, to: usize| -> Vec<u64> {
                let bounds = (self.course.operations * from / 4)..(self.course.operations * to / 4);
                self.samples.iter().filter(|sample| bounds.contains(&sample.operations)).map(memory).collect()
            };
            let (third, last) = (quarter(2, 3), quarter(3, 4));
            if third.len() < SAMPLES || last.len() < SAMPLES {
                continue;
            }
            let (before, after) = (mean(&third), mean(&last));
            eprintln!("{program}: {before:.1} MB in the third quarter, {after:.1} MB in the last, {peak} MB at most");
            assert!(after <= before * MOST_GROWTH + SLACK_MB, "{program} grows from {before} MB to {after} MB");
        }
    }
}

fn mean(values: &[u64]) -> f64 {
    values.iter().sum::<u64>() as f64 / values.len() as f64
}
