//! Who has had the processors: this process, or others. A figure that was measured beside others says little.

use std::fs;

/// Ticks of the system's clock since it was started.
#[derive(Clone, Copy)]
pub(super) struct Processors {
    /// Of all processors, whoever had them.
    all: u64,
    /// Of those, idle or waiting for a disk.
    idle: u64,
    /// Of this process.
    ours: u64,
}

impl Processors {
    pub(super) fn now() -> Self {
        let stat = fs::read_to_string("/proc/stat").unwrap();
        // cpu user nice system idle iowait irq softirq steal
        let first = stat.lines().next().unwrap().split_whitespace();
        let ticks: Vec<u64> = first.skip(1).take(8).map(|ticks| ticks.parse().unwrap()).collect();
        let own = fs::read_to_string("/proc/self/stat").unwrap();
        // Behind the name: the state, ten numbers, the time as a user and that in the system.
        let behind = own.rsplit_once(") ").unwrap().1.split_whitespace();
        let ours = behind.skip(11).take(2).map(|ticks| ticks.parse::<u64>().unwrap()).sum();
        Self { all: ticks.iter().sum(), idle: ticks[3] + ticks[4], ours }
    }

    /// The share that other processes had between two looks.
    pub(super) fn had_by_others_since(self, before: Self) -> f64 {
        let all = self.all - before.all;
        let busy = all - (self.idle - before.idle).min(all);
        busy.saturating_sub(self.ours - before.ours) as f64 / all.max(1) as f64
    }
}
