//! What a process holds, and whether all of it comes back over rounds of whatever is done to it.

use super::must;
use std::fs;
use tokio::runtime::Handle;

/// Resident memory may be more than it was by this.
const MEMORY_PERCENT_MAX: u64 = 2;
/// Stores are dropped on other threads, so that the least of a few looks is what stays.
const LOOKS: usize = 4;

#[derive(Debug)]
struct Held {
    resident_kib: u64,
    descriptors: usize,
    threads: usize,
    tasks: usize,
}

impl Held {
    fn now() -> Self {
        runtime::give_back_freed_memory();
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        Self {
            resident_kib: line.split_whitespace().nth(1).unwrap().parse().unwrap(),
            descriptors: fs::read_dir("/proc/self/fd").unwrap().count(),
            threads: fs::read_dir("/proc/self/task").unwrap().count(),
            tasks: Handle::current().metrics().num_alive_tasks(),
        }
    }

    /// A round between each two looks.
    async fn least(round: &impl AsyncFn()) -> Self {
        let mut least = Self::now();
        for _ in 1..LOOKS {
            round().await;
            let now = Self::now();
            least.resident_kib = least.resident_kib.min(now.resident_kib);
            least.descriptors = least.descriptors.min(now.descriptors);
            least.threads = least.threads.min(now.threads);
            least.tasks = least.tasks.min(now.tasks);
        }
        least
    }

    fn is_back(&self, before: &Self) -> Result<(), String> {
        let stays = |what: &'static str| move || format!("{what}: {self:?} after {before:?}");
        must(self.descriptors <= before.descriptors, stays("descriptors"))?;
        must(self.threads <= before.threads, stays("threads"))?;
        must(self.tasks <= before.tasks, stays("tasks"))?;
        let resident_kib_max = before.resident_kib * (100 + MEMORY_PERCENT_MAX) / 100;
        must(self.resident_kib <= resident_kib_max, stays("memory"))
    }
}

/// Rounds until everything was used that is kept, then what is held before and after so many rounds more. Err: what stays.
pub(crate) async fn comes_back(warm_up: usize, rounds: usize, round: impl AsyncFn()) -> Result<(), String> {
    for _ in 0..warm_up {
        round().await;
    }
    let before = Held::least(&round).await;
    for _ in 0..rounds {
        round().await;
    }
    Held::least(&round).await.is_back(&before)
}
