//! Days of use by several people, whose programs are killed meanwhile, and beside it a model of what should be there.

mod checks;
mod model;
mod operator;
mod receiver;
mod user;
mod web;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use engine::hash::hexadecimal;
use sha2::{Digest, Sha256};
use test_stack::{
    INGESTION, INGESTION_API, JOB_STATUS_API, Random, Stack,
    audio::{faint, repeated_sample},
    parameter,
};
use tokio::runtime::Runtime;

use model::Model;
use operator::Operator;
use receiver::Receiver;
use user::User;
use web::Web;

const USERS: usize = 12;

const SETTINGS: [(&str, &str); 4] = [
    ("LONGHAND_RETENTION_DAYS", "never,short=0"),
    ("LONGHAND_RETENTION_RECORDINGS_DAYS", "never,brief=0"),
    ("LONGHAND_WEBHOOK_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ("LONGHAND_ALLOW_PRIVATE_URLS", "true"),
];

/// How much is done, and what happens meanwhile.
#[derive(Clone, Copy)]
struct Course {
    seed: u64,
    operations: usize,
    /// Programs that are killed, all of them in the first half: how memory grows is seen in the second.
    kills: usize,
    rounds_of_housekeeping: usize,
}

/// What all users share.
struct World {
    course: Course,
    begun: AtomicUsize,
    web: Web,
    receiver: Receiver,
    recordings: Vec<Recording>,
}

struct Recording {
    bytes: Vec<u8>,
    sha256: String,
}

#[test]
fn store_and_model_agree_after_an_hour_of_use() {
    check(Course { seed: 1, operations: 60, kills: 5, rounds_of_housekeeping: 2 });
}

/// A job a minute, and something dies twice in an hour. CONTRIBUTING.md says how to run it.
#[test]
#[ignore = "it takes half an hour"]
fn store_and_model_agree_after_three_days_of_use() {
    let operations = usize::try_from(parameter("USE_OPERATIONS", 72 * 60)).unwrap();
    let seed = parameter("USE_SEED", 72);
    check(Course { seed, operations, kills: operations / 30, rounds_of_housekeeping: operations / 120 });
}

fn check(course: Course) {
    let mut stack = Stack::server_with(&SETTINGS);
    for program in [INGESTION, JOB_STATUS_API, INGESTION_API] {
        stack.start_worker(program);
    }
    stack.start_noop_recogniser();
    let runtime = Runtime::new().unwrap();
    let world = Arc::new(World {
        course,
        begun: AtomicUsize::new(0),
        web: Web::new(&stack),
        receiver: Receiver::start(),
        recordings: recordings(),
    });
    let users: Vec<_> =
        (0..USERS).map(|number| runtime.spawn(User::new(number, Arc::clone(&world)).use_and_settle())).collect();
    let mut operator = Operator::new(&mut stack, course);
    operator.look_after(&world, || users.iter().all(tokio::task::JoinHandle::is_finished));
    let models = users.into_iter().map(|user| runtime.block_on(user).unwrap());
    let model = models.reduce(Model::and).unwrap();
    operator.tidy_up();
    operator.report();
    runtime.block_on(checks::check(&stack, &world, &model));
}

impl World {
    /// Whether another operation is to be done.
    fn begin_operation(&self) -> bool {
        self.begun.fetch_add(1, Ordering::Relaxed) < self.course.operations
    }

    fn operations(&self) -> usize {
        self.begun.load(Ordering::Relaxed).min(self.course.operations)
    }

    fn random(&self, user: usize) -> Random {
        Random::new(self.course.seed * 1_000 + user as u64)
    }
}

/// Some of speech, and two in which there is none.
fn recordings() -> Vec<Recording> {
    let speech = (1..=6).map(|repeats| repeated_sample(repeats * 11));
    let files = speech.chain([faint(2), faint(3)]);
    let recording = |bytes: Vec<u8>| Recording { sha256: hexadecimal(&Sha256::digest(&bytes)), bytes };
    files.map(|file| recording(std::fs::read(file.path()).unwrap())).collect()
}
