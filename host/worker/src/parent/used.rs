//! What a connection used of its limits over all workers in which it ran.

use manifest::Limits as Names;
use pipeline::connector::{Budget, Usage};
use runtime::Limits;
use std::time::Instant;

/// Those that add up over a run; of the others the most counts.
const SUMS: [&str; 3] = ["cpu_ms", "log_lines", "log_bytes"];

/// One number for each limit, in the order of `manifest::Limits::KEYS`.
pub(super) struct Used {
    began: Instant,
    /// In workers that are no more.
    before: Vec<u64>,
    /// In the present one, as it last said.
    now: Vec<u64>,
}

fn names() -> impl Iterator<Item = &'static str> {
    Names::KEYS.iter().map(|(name, _)| *name)
}

impl Used {
    pub(super) fn new() -> Self {
        let none = vec![0; Names::KEYS.len()];
        Self { began: Instant::now(), before: none.clone(), now: none }
    }

    /// A worker says what it used. One that says nothing used what it said before.
    pub(super) fn said(&mut self, used: Vec<u64>) {
        if used.len() == self.now.len() {
            self.now = used;
        }
    }

    /// Another worker begins.
    pub(super) fn begin_anew(&mut self) {
        self.before = self.all().collect();
        self.now.fill(0);
    }

    fn all(&self) -> impl Iterator<Item = u64> + '_ {
        names().zip(&self.before).zip(&self.now).map(|((name, before), now)| {
            if SUMS.contains(&name) { before.saturating_add(*now) } else { *before.max(now) }
        })
    }

    fn of(&self, wanted: &str) -> u64 {
        names().zip(self.all()).find(|(name, _)| *name == wanted).map_or(0, |(_, used)| used)
    }

    fn run_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// The limits for a worker that begins: what was used of those that add up is not given again.
    pub(super) fn left_of(&self, limits: &Limits) -> Limits {
        let left = |limit: u64, used: u64| limit.saturating_sub(used).max(1);
        Limits {
            cpu_ms: left(limits.cpu_ms, self.of("cpu_ms")),
            log_lines: left(limits.log_lines, self.of("log_lines")),
            log_bytes: left(limits.log_bytes, self.of("log_bytes")),
            run_ms: left(limits.run_ms, self.run_ms()),
            ..limits.clone()
        }
    }

    /// The budget report. Requests are counted where they are made, which is here.
    pub(super) fn report(&self, limits: &Limits, http: &egress::Usage) -> Budget {
        let used = |(name, used): (&str, u64)| Usage {
            limit: name.to_owned(),
            used: match name {
                "run_ms" => self.run_ms(),
                "requests" => http.requests,
                "requests_per_second" => http.requests_per_second,
                "concurrent_requests" => http.concurrent_requests,
                "request_ms" => http.request_ms,
                "bytes_out" => http.bytes_out,
                "bytes_in" => http.bytes_in,
                _ => used,
            },
            allowed: limits.get(name).unwrap_or_default(),
        };
        names().zip(self.all()).map(used).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{Names, Used};
    use runtime::Limits;

    fn said(used: &mut Used, cpu_ms: u64, memory_bytes: u64) {
        let value = |name: &str| match name {
            "cpu_ms" => cpu_ms,
            "memory_bytes" => memory_bytes,
            _ => 0,
        };
        used.said(Names::KEYS.iter().map(|(name, _)| value(name)).collect());
    }

    #[test]
    fn what_one_worker_used_is_not_given_to_the_next() {
        let limits = Limits { cpu_ms: 1_000, ..Limits::defaults() };
        let mut used = Used::new();
        said(&mut used, 300, 7);
        used.begin_anew();
        said(&mut used, 200, 5);
        assert_eq!((used.of("cpu_ms"), used.of("memory_bytes")), (500, 7));
        assert_eq!(used.left_of(&limits).cpu_ms, 500);
        said(&mut used, 5_000, 5);
        assert_eq!(used.left_of(&limits).cpu_ms, 1, "a limit of none would be another thing");
        used.said(vec![1]);
        assert_eq!(used.of("cpu_ms"), 5_300, "a report of another length is none");
    }
}
