//! Clocks in whole milliseconds: enough for a time stamp, too coarse to watch a neighbour by.

use cassette::Tape;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use wasmtime_wasi::{HostMonotonicClock, HostWallClock};

const RESOLUTION: Duration = Duration::from_millis(1);
const NANOS_OF_MS: u64 = 1_000_000;

/// The time of day.
pub(crate) struct CoarseWall;

impl HostWallClock for CoarseWall {
    fn resolution(&self) -> Duration {
        RESOLUTION
    }

    fn now(&self) -> Duration {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or(u64::MAX))
    }
}

/// Time since the instance began.
pub(crate) struct CoarseMonotonic(Instant);

impl CoarseMonotonic {
    pub(crate) fn new() -> Self {
        Self(Instant::now())
    }
}

impl HostMonotonicClock for CoarseMonotonic {
    fn resolution(&self) -> u64 {
        NANOS_OF_MS
    }

    fn now(&self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX).saturating_mul(NANOS_OF_MS)
    }
}

/// The time of day of an instance that is recorded or replayed.
pub(crate) struct TapedWall(pub(crate) Tape);

impl HostWallClock for TapedWall {
    fn resolution(&self) -> Duration {
        RESOLUTION
    }

    fn now(&self) -> Duration {
        let real = || u64::try_from(CoarseWall.now().as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(self.0.wall_ms(real))
    }
}

/// The other clock of an instance that is recorded or replayed.
pub(crate) struct TapedMonotonic {
    tape: Tape,
    real: CoarseMonotonic,
}

impl TapedMonotonic {
    pub(crate) fn new(tape: Tape) -> Self {
        Self { tape, real: CoarseMonotonic::new() }
    }
}

impl HostMonotonicClock for TapedMonotonic {
    fn resolution(&self) -> u64 {
        self.real.resolution()
    }

    fn now(&self) -> u64 {
        let real = || self.real.now() / NANOS_OF_MS;
        self.tape.monotonic_ms(real).saturating_mul(NANOS_OF_MS)
    }
}

/// A time of day that stands still, for calls that must give the same answer each time.
pub(crate) struct StillWall;

impl HostWallClock for StillWall {
    fn resolution(&self) -> Duration {
        RESOLUTION
    }

    fn now(&self) -> Duration {
        Duration::ZERO
    }
}

/// A clock that stands still.
pub(crate) struct StillMonotonic;

impl HostMonotonicClock for StillMonotonic {
    fn resolution(&self) -> u64 {
        NANOS_OF_MS
    }

    fn now(&self) -> u64 {
        0
    }
}
