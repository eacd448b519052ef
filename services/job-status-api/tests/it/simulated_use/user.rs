//! One of the users: does one thing after the other with names of its own, and knows what should come of it. Recordings
//! are everybody's.

use std::sync::Arc;

use serde_json::json;
use test_stack::Random;

use super::{
    World,
    model::{Job, Kept, Model, State, Taken, kept},
};

pub(super) struct User {
    number: usize,
    random: Random,
    world: Arc<World>,
    model: Model,
    batches_begun: usize,
}

impl User {
    pub(super) fn new(number: usize, world: Arc<World>) -> Self {
        Self { number, random: world.random(number), world, model: Model::default(), batches_begun: 0 }
    }

    /// Goes on as long as there is something to do, then waits for the end of all that was begun.
    pub(super) async fn use_and_settle(mut self) -> Model {
        while self.world.begin_operation() {
            self.step().await;
        }
        for id in self.model.batches.keys() {
            self.world.web.wait_for(id, "its end", |shown| shown.body["status"] != "running").await;
        }
        let begun = self.model.jobs.iter().filter(|(_, job)| job.state == State::Begun);
        for id in begun.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
            self.settle(&id).await;
        }
        self.model
    }

    async fn step(&mut self) {
        let id = self.name();
        match self.random.below(100) {
            0..34 => self.submit(&id).await,
            34..46 => {
                self.submit(&id).await;
                self.settle(&id).await;
            }
            46..54 => {
                self.submit(&id).await;
                self.submit(&id).await;
            }
            54..70 => self.cancel(&id).await,
            70..84 => self.purge(&id).await,
            84..90 => self.follow(&id).await,
            90..94 => self.begin_batch().await,
            94..97 => self.end_batch().await,
            _ => {
                let recording = self.random.below(self.world.recordings.len());
                self.world.web.break_off(&self.world.recordings[recording].bytes).await;
            }
        }
    }

    fn name(&mut self) -> String {
        let tenant = *self.random.one_of(&["", "", "", "", "short:", "brief:"]);
        format!("{tenant}user-{}.{}", self.number, self.random.below(4))
    }

    async fn submit(&mut self, id: &str) {
        let (recording, tells) = (self.random.below(self.world.recordings.len()), self.random.below(4) == 0);
        let webhook = self.world.receiver.url.as_str();
        let fields = [("id", id), ("language", "en"), ("webhook", webhook)];
        let fields = &fields[..if tells { 3 } else { 2 }];
        let answer = self.world.web.submit(fields, &self.world.recordings[recording].bytes).await;
        assert_eq!(answer.status, 202, "{id}: {answer:?}");
        let existing = answer.body["existing"] == true;
        let job = self.model.jobs.entry(id.to_owned()).or_default();
        if kept(id) != Kept::Nothing {
            let is_known = existing || job.state != State::Completed;
            assert!(is_known, "{id} was completed, and is begun again: {job:?}");
            let is_news = !existing || !answer.at_first_try || job.state != State::Absent;
            assert!(is_news, "{id} is there, though it should not be: {job:?}");
        }
        job.is_taken(Taken { recording, tells, existing, at_first_try: answer.at_first_try });
    }

    async fn cancel(&mut self, id: &str) {
        let answer = self.world.web.delete(id, false).await;
        let job = self.model.jobs.entry(id.to_owned()).or_default();
        let is_there = job.state != State::Absent;
        assert!(kept(id) == Kept::Nothing || (answer.status == 202) == is_there, "{id}: {answer:?}, {job:?}");
        job.is_cancelled |= job.state == State::Begun;
    }

    async fn purge(&mut self, id: &str) {
        let answer = self.world.web.delete(id, true).await;
        let job = self.model.jobs.entry(id.to_owned()).or_default();
        let is_as_expected = match answer.status {
            202 => job.state != State::Absent,
            404 => job.state == State::Absent || !answer.at_first_try,
            _ => false,
        };
        let is_certain = kept(id) != Kept::Nothing && job.state != State::Unknown;
        assert!(is_as_expected || !is_certain, "{id}: {answer:?}, {job:?}");
        self.world.web.wait_for(id, "it is gone", |shown| shown.status == 404).await;
        *job = Job::default();
    }

    async fn follow(&mut self, id: &str) {
        if self.state(id) == State::Begun {
            self.world.web.follow(id).await;
            self.settle(id).await;
        }
    }

    /// Waits for the job's end, which has to be one that it may have.
    async fn settle(&mut self, id: &str) {
        let ended = self.world.web.wait_for(id, "its end", |shown| shown.body["status"] != "running").await;
        let job = self.model.jobs.entry(id.to_owned()).or_default();
        job.state = match (ended.status, ended.body["status"].as_str()) {
            (200, Some("completed")) => State::Completed,
            (200, Some("cancelled")) if job.is_cancelled => State::Cancelled,
            (404, _) if kept(id) == Kept::Nothing => State::Absent,
            _ => panic!("{id} should have ended well: {ended:?}, {job:?}"),
        };
    }

    /// Of recordings that are there, for jobs that are kept need them.
    async fn begin_batch(&mut self) {
        let is_kept = |id: &str, job: &Job| kept(id) == Kept::All && job.state == State::Completed;
        let jobs = self.model.jobs.iter().filter(|(id, job)| is_kept(id, job));
        let mut numbers: Vec<_> = jobs.flat_map(|(_, job)| job.needs.iter().copied()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.is_empty() {
            return;
        }
        let object = |number: &usize| json!({ "object": format!("uploads/{}", self.world.recordings[*number].sha256) });
        let sources: Vec<_> = numbers.iter().map(object).collect();
        let id = format!("user-{}-batch-{}", self.number, self.batches_begun);
        self.batches_begun += 1;
        let batch = json!({ "sources": sources, "id": id, "speech": { "language": "en" } });
        let answer = self.world.web.submit_batch(&batch).await;
        assert_eq!(answer.status, 202, "{id}: {answer:?}");
        let children = answer.body["jobs"].as_array().unwrap().iter().map(|job| job["id"].as_str().unwrap().to_owned());
        let children: Vec<String> = children.collect();
        for (child, number) in children.iter().zip(numbers) {
            let (needs, heard) = ([number].into(), [number].into());
            let job = Job { state: State::Begun, needs, heard, tells: Some(false), ..Job::default() };
            self.model.jobs.insert(child.clone(), job);
        }
        self.model.batches.insert(id, children);
    }

    /// Cancels a batch, or has it purged with all its jobs.
    async fn end_batch(&mut self) {
        let ids: Vec<_> = self.model.batches.keys().cloned().collect();
        if ids.is_empty() {
            return;
        }
        let (id, purge) = (self.random.one_of(&ids).clone(), self.random.below(2) == 0);
        let answer = self.world.web.delete(&id, purge).await;
        assert_eq!(answer.status, 202, "{id}: {answer:?}");
        let children = self.model.batches[&id].clone();
        if purge {
            for gone in children.iter().chain([&id]) {
                self.world.web.wait_for(gone, "it is gone", |shown| shown.status == 404).await;
            }
            children.iter().for_each(|child| drop(self.model.jobs.insert(child.clone(), Job::default())));
            self.model.batches.remove(&id);
        } else {
            self.world.web.wait_for(&id, "its end", |shown| shown.body["status"] != "running").await;
            children.iter().for_each(|child| self.forget_about(child));
        }
    }

    /// It may have been cancelled before it began.
    fn forget_about(&mut self, child: &str) {
        let job = self.model.jobs.get_mut(child).unwrap();
        if job.state == State::Begun {
            let may_need = std::mem::take(&mut job.needs);
            *job = Job { state: State::Unknown, may_need, ..Job::default() };
        }
    }

    fn state(&self, id: &str) -> State {
        self.model.jobs.get(id).map_or(State::Absent, |job| job.state)
    }
}
