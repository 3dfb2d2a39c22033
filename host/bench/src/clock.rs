//! Time on the wall and on the processor, and what to make of several repetitions.

use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::time::{ClockId, clock_gettime};

/// What one repetition took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Took {
    pub(crate) wall: Duration,
    /// Processor time of all threads of this process, the host's own ones included.
    pub(crate) cpu: Duration,
}

/// Measures from its making to `stop`.
pub(crate) struct Watch {
    began: Instant,
    cpu: Duration,
}

impl Watch {
    pub(crate) fn start() -> Result<Self> {
        Ok(Self { cpu: cpu()?, began: Instant::now() })
    }

    pub(crate) fn stop(&self) -> Result<Took> {
        let wall = self.began.elapsed();
        Ok(Took { wall, cpu: cpu()?.saturating_sub(self.cpu) })
    }
}

/// Processor time of this process so far.
fn cpu() -> Result<Duration> {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Ok(Duration::new(u64::try_from(time.tv_sec)?, u32::try_from(time.tv_nsec)?))
}

/// The value in the middle; zero of none.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    percentile(values, 50)
}

/// The value below which so many of a hundred lie; zero of none.
pub(crate) fn percentile(values: impl IntoIterator<Item = f64>, percent: usize) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values.get(last * percent / 100).copied().unwrap_or_default()
}
