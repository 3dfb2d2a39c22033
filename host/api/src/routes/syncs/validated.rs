//! What would be wrong with a sync, and when a schedule would be due: before either is saved.

use super::written::{WrittenSchedule, WrittenSync};
use crate::at::At;
use crate::body::{Sent, Told};
use crate::caller::Caller;
use crate::fault::Fault;
use crate::house::House;
use crate::refusal::Refusal;
use axum::extract::State;
use control::{Action, Error, Schedule, ScheduleSpec, SyncSpec};
use http::StatusCode;
use manifest::ConfigFault;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What people look at before they save.
const TIMES: usize = 5;
const TIMES_MAX: usize = 50;

/// Everything that is wrong with a sync.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SyncFaults {
    /// Empty: it would be taken.
    faults: Vec<SyncFault>,
}

/// One thing that is wrong with a sync.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SyncFault {
    /// Where, as a JSON Pointer (RFC 6901); empty: the whole of it.
    #[schema(example = "/streams/0/name")]
    path: String,
    /// What is wrong, and what would be right.
    message: String,
}

/// A schedule, and how many of its times are wanted.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskedTimes {
    schedule: WrittenSchedule,
    #[serde(default)]
    #[schema(minimum = 1, maximum = 50, default = 5)]
    count: Option<usize>,
}

/// The next times of a schedule, without its jitter.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Times {
    times: Vec<Time>,
}

/// A time at which a schedule is due.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ScheduleTime)]
pub(crate) struct Time {
    due_ms: u64,
    /// As it is written in the schedule's zone (RFC 3339).
    #[schema(example = "2026-03-29T03:00:00+02:00", format = DateTime)]
    local: String,
}

/// Tells what is wrong with a sync, all at once, and keeps nothing.
#[utoipa::path(post, path = "/v1/organizations/{organization}/syncs/validate", tag = "syncs",
    params(("organization" = String, Path, description = "The organization's id.")), request_body = WrittenSync,
    responses((status = 200, body = SyncFaults)))]
pub(crate) async fn validate(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
    Sent(sent): Sent<WrittenSync>,
) -> Result<Told<SyncFaults>, Refusal> {
    let spec = SyncSpec::from(sent);
    super::enter(&house, &caller, &id, &spec).await?;
    let faults = match house.parts.syncs.validate(caller.user(), &id, &spec).await {
        Err(Error::BadSync { faults }) => faults,
        validated => validated.map(|()| Vec::new())?,
    };
    let shown = |ConfigFault { path, message, .. }| SyncFault { path, message };
    Ok(Told(StatusCode::OK, SyncFaults { faults: faults.into_iter().map(shown).collect() }))
}

/// Shows when a schedule would be due next, and keeps nothing.
#[utoipa::path(post, path = "/v1/organizations/{organization}/schedules/preview", tag = "syncs",
    params(("organization" = String, Path, description = "The organization's id.")), request_body = AskedTimes,
    responses((status = 200, body = Times)))]
pub(crate) async fn preview_schedule(
    State(house): State<House>,
    caller: Caller,
    At(id): At<String>,
    Sent(sent): Sent<AskedTimes>,
) -> Result<Told<Times>, Refusal> {
    caller.enter(&house, &id, Action::ChangeSchedules).await?;
    let count = sent.count.unwrap_or(TIMES);
    if !(1..=TIMES_MAX).contains(&count) {
        let (place, message) = ("`count`".to_owned(), format!("expected 1 to {TIMES_MAX}"));
        return Err(Fault::BadBody { place, message }.into());
    }
    let now_ms = house.parts.organizations.now_ms();
    let schedule = Schedule::new(&ScheduleSpec::from(sent.schedule), now_ms)?;
    let due = schedule.preview(now_ms, count);
    let times = due.into_iter().map(|due_ms| Time { due_ms, local: schedule.written(due_ms) });
    Ok(Told(StatusCode::OK, Times { times: times.collect() }))
}
