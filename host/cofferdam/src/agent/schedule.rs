//! Lets syncs run when they are due, for as long as this process takes runs.

use std::time::Duration;

use control::Scheduler;
use tokio_util::sync::CancellationToken;

use super::AFTER_FAILURE;
use crate::units::now_ms;

/// Clocks leap: one that waits for a time looks at the clock anew at least so often.
const SLEEP_MAX: Duration = Duration::from_secs(30);

pub(super) async fn run(scheduler: Scheduler, draining: CancellationToken) {
    loop {
        let wake_ms = match scheduler.pass().await {
            Ok(pass) => {
                for (sync, error) in &pass.failed {
                    tracing::warn!(sync, code = error.code(), "a schedule could not be looked at: {error}");
                }
                pass.wake_ms
            }
            Err(error) => {
                tracing::warn!(code = error.code(), "no schedule could be looked at: {error}");
                Some(after(AFTER_FAILURE))
            }
        };
        tokio::select! {
            () = scheduler.changed() => {}
            () = at(wake_ms) => {}
            () = draining.cancelled() => return,
        }
    }
}

/// Waits until this time has come, in milliseconds since the epoch, or a little while has passed; none: for ever.
pub(super) async fn at(wake_ms: Option<u64>) {
    let Some(wake_ms) = wake_ms else { return std::future::pending().await };
    let left = Duration::from_millis(wake_ms.saturating_sub(now_ms()));
    tokio::time::sleep(left.min(SLEEP_MAX)).await;
}

pub(super) fn after(span: Duration) -> u64 {
    now_ms().saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}
