//! When a sync is due.

use control::{CatchUp, ScheduleSpec, When};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// When a sync is due.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Schedule)]
pub(crate) struct WrittenSchedule {
    when: WrittenWhen,
    /// Each run begins up to so much later, so that not all begin at the full hour.
    #[serde(default)]
    #[schema(maximum = 86_400_000)]
    jitter_ms: u64,
    #[serde(default)]
    catch_up: WrittenCatchUp,
}

/// At what times.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[schema(as = ScheduleWhen)]
enum WrittenWhen {
    /// By a pattern in a time zone.
    Cron {
        /// Five fields.
        #[schema(example = "0 6 * * MON-FRI", max_length = 200)]
        pattern: String,
        /// Of the IANA database.
        #[schema(example = "Europe/Berlin")]
        zone: String,
    },
    /// So long after each other, from a moment on.
    Every {
        #[schema(minimum = 60_000, maximum = 31_622_400_000_u64)]
        interval_ms: u64,
        /// The first one, in milliseconds since the epoch.
        from_ms: u64,
    },
}

/// What becomes of runs that were missed: nobody was there, or the one before took too long.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ScheduleCatchUp)]
enum WrittenCatchUp {
    /// Nothing: the next one comes at its time.
    Skip,
    /// One run for all of them.
    #[default]
    Once,
    /// A run for each, the newest so many: 1 to 100.
    Each(u32),
}

impl From<WrittenSchedule> for ScheduleSpec {
    fn from(written: WrittenSchedule) -> Self {
        let when = match written.when {
            WrittenWhen::Cron { pattern, zone } => When::Cron { pattern, zone },
            WrittenWhen::Every { interval_ms, from_ms } => When::Every { interval_ms, from_ms },
        };
        let catch_up = match written.catch_up {
            WrittenCatchUp::Skip => CatchUp::Skip,
            WrittenCatchUp::Once => CatchUp::Once,
            WrittenCatchUp::Each(count) => CatchUp::Each(count),
        };
        Self { when, jitter_ms: written.jitter_ms, catch_up }
    }
}

impl From<ScheduleSpec> for WrittenSchedule {
    fn from(spec: ScheduleSpec) -> Self {
        let when = match spec.when {
            When::Cron { pattern, zone } => WrittenWhen::Cron { pattern, zone },
            When::Every { interval_ms, from_ms } => WrittenWhen::Every { interval_ms, from_ms },
        };
        let catch_up = match spec.catch_up {
            CatchUp::Skip => WrittenCatchUp::Skip,
            CatchUp::Once => WrittenCatchUp::Once,
            CatchUp::Each(count) => WrittenCatchUp::Each(count),
        };
        Self { when, jitter_ms: spec.jitter_ms, catch_up }
    }
}
