//! Whether slots of the pool and tasks are given back. Both end on other threads, a moment later.

use crate::harness::{open, within};
use runtime::{Runtime, Source};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// As many readers as there are slots can be open at one time. Err: how many could be.
pub(crate) async fn slots_come_back(
    runtime: &Runtime,
    source: &Source,
    bound: Duration,
) -> Result<(), String> {
    let (began, all) = (Instant::now(), runtime.live_instances());
    loop {
        let mut readers = Vec::new();
        while let Ok(reader) = open(source).await {
            readers.push(reader);
        }
        if readers.len() == all {
            return Ok(());
        }
        if began.elapsed() > bound {
            return Err(format!("{} of {all} slots are free", readers.len()));
        }
        tokio::task::yield_now().await;
    }
}

/// No more tasks are alive than there were. Err: how many are.
pub(crate) async fn tasks_come_back(before: usize, bound: Duration) -> Result<(), String> {
    let alive = || Handle::current().metrics().num_alive_tasks();
    if within(bound, || alive() <= before).await {
        return Ok(());
    }
    Err(format!("{} tasks are alive after {before}", alive()))
}
