//! What a server counts of itself, asked for where its operator asks.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::api::Api;
use super::program::Program;

/// Often enough to see an end, and too rare to delay it.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A figure; nothing of its kind was counted yet: zero.
pub(super) async fn figure(program: &Program, name: &str) -> Result<u64> {
    let text = Api::new(&format!("http://{}", program.operations)).read("/metrics").await?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.map_or(Ok(0), |value| value.trim().parse().with_context(|| format!("`{name}` is `{value}`")))
}

/// Waits until a figure is as high as this.
pub(super) async fn reached(program: &Program, name: &str, count: u64, within: Duration) -> Result<()> {
    let began = Instant::now();
    loop {
        let now = figure(program, name).await?;
        if now >= count {
            return Ok(());
        }
        ensure!(began.elapsed() < within, "`{name}` is {now} and not {count} after {within:?}");
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
