//! The server's own schedule, which starts housekeeping: whichever workers run, there is one of it.

use std::time::Duration;

use temporalio_client::{
    Client,
    schedules::{CreateScheduleOptions, DeleteScheduleOptions, ScheduleAction, ScheduleError, ScheduleSpec},
    tonic::Code,
};

use super::{
    contracts::WORKFLOW_QUEUE,
    workflows::{HousekeepingRequest, HousekeepingWorkflow},
};

/// What the schedule is called in Temporal.
pub const SCHEDULE: &str = "longhand-housekeeping";

/// The server adds the time at which it was started.
const WORKFLOW: &str = "housekeeping/scheduled";

/// Between two attempts to have a schedule.
const PAUSE: Duration = Duration::from_secs(30);

/// How often something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    Never,
    Interval {
        every: Duration,
        /// How long something that nobody refers to has to lie about untouched before it is swept.
        min_age: Duration,
    },
}

/// Sees to it that the server has the schedule, or has none, as the settings are now.
pub(super) async fn ensure(client: Client, every: Every) {
    while let Err(error) = set(&client, every).await {
        tracing::warn!(%error, "housekeeping could not be scheduled, still trying");
        tokio::time::sleep(PAUSE).await;
    }
}

async fn set(client: &Client, every: Every) -> Result<(), ScheduleError> {
    let handle = client.get_schedule_handle(SCHEDULE);
    let Every::Interval { every, min_age } = every else {
        let deleted = handle.delete(DeleteScheduleOptions::default()).await;
        return unless(Code::NotFound, deleted);
    };
    let spec = ScheduleSpec::from_interval(every);
    let action = action(min_age)?;
    let created = CreateScheduleOptions::builder().action(action.clone()).spec(spec.clone()).build();
    match client.create_schedule(SCHEDULE, created).await {
        Ok(_) => Ok(()),
        Err(ScheduleError::Rpc(status)) if status.code() == Code::AlreadyExists => {
            let update = move |schedule: &mut temporalio_client::schedules::ScheduleUpdate| {
                schedule.set_spec(spec).set_action(action);
            };
            handle.update(update, Default::default()).await
        }
        Err(error) => Err(error),
    }
}

fn action(min_age: Duration) -> Result<ScheduleAction, ScheduleError> {
    let request =
        HousekeepingRequest { min_age_s: min_age.as_secs(), retain: true, asked_by: "the schedule".to_owned() };
    let input = serde_json::to_value(request)
        .map_err(|error| temporalio_common::data_converters::PayloadConversionError::EncodingError(error.into()))?;
    Ok(ScheduleAction::start_workflow(HousekeepingWorkflow::run, input, WORKFLOW_QUEUE, WORKFLOW))
}

/// An error of that code is none.
fn unless(code: Code, outcome: Result<(), ScheduleError>) -> Result<(), ScheduleError> {
    match outcome {
        Err(ScheduleError::Rpc(status)) if status.code() == code => Ok(()),
        outcome => outcome,
    }
}
