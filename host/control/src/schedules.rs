//! When a sync is due: by a cron pattern in a time zone, or at an interval. Pure: who wakes asks, and is told what to start
//! and when to wake again.
//!
//! # Daylight saving
//!
//! A pattern with a fixed time of day runs once each day: where its time is left out, at the first moment after the gap, and
//! where it comes twice, at the first. A pattern with a wildcard hour follows the hours that there are.

use crate::error::Error;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

const MINUTE_MS: u64 = 60_000;
const DAY_MS: u64 = 24 * 60 * MINUTE_MS;
/// A run that is due while its process was away for a moment is late, not missed.
const LATE_MS: u64 = MINUTE_MS;
/// More missed runs than this are made up by none of them being worth it.
const CATCH_UP_MAX: u32 = 100;
const PATTERN_BYTES_MAX: usize = 200;

/// When a sync is due, as people write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScheduleSpec {
    /// When.
    pub when: When,
    /// Each run begins up to so much later, so that not all begin at the full hour.
    #[serde(default)]
    pub jitter_ms: u64,
    /// What becomes of runs that were missed.
    #[serde(default)]
    pub catch_up: CatchUp,
}

/// At what times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum When {
    /// By a pattern of five fields in a time zone.
    Cron {
        /// As in `0 6 * * MON-FRI`.
        pattern: String,
        /// Of the IANA database, as in `Europe/Berlin`.
        zone: String,
    },
    /// So long after each other, from a moment on.
    Every {
        /// At least a minute.
        interval_ms: u64,
        /// The first one, in milliseconds since the epoch.
        from_ms: u64,
    },
}

/// What becomes of runs that were missed: nobody was there, or the one before took too long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CatchUp {
    /// Nothing: the next one comes at its time.
    Skip,
    /// One run for all of them.
    #[default]
    Once,
    /// A run for each, the newest so many.
    Each(u32),
}

/// When a sync is due.
#[derive(Debug, Clone)]
pub struct Schedule {
    times: Times,
    jitter_ms: u64,
    catch_up: CatchUp,
}

#[derive(Debug, Clone)]
enum Times {
    Cron { cron: Box<Cron>, zone: TimeZone },
    Every { interval_ms: u64, from_ms: u64 },
}

/// What to do at some moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Runs to start, one after the other, by the times at which they were due.
    pub start: Vec<u64>,
    /// Everything up to this time is settled; to be given as `settled_ms` next time.
    pub settled_ms: u64,
    /// When to ask again; none: nothing will be due any more.
    pub wake_ms: Option<u64>,
}

impl Schedule {
    /// Reads a schedule. `now_ms` tells which times are still to come.
    ///
    /// # Errors
    /// [`Error::BadSchedule`].
    pub fn new(spec: &ScheduleSpec, now_ms: u64) -> Result<Self, Error> {
        let times = Times::new(&spec.when)?;
        let schedule = Self { times, jitter_ms: spec.jitter_ms, catch_up: spec.catch_up };
        if matches!(spec.catch_up, CatchUp::Each(count) if !(1..=CATCH_UP_MAX).contains(&count)) {
            return Err(bad("`each` makes up between 1 and 100 runs"));
        }
        let next = schedule.times.after(now_ms).ok_or_else(|| bad("it is never due"))?;
        let following = schedule.times.after(next).unwrap_or(u64::MAX);
        if spec.jitter_ms > DAY_MS || spec.jitter_ms >= following - next {
            return Err(bad("the jitter must be shorter than the time between two runs, and than a day"));
        }
        Ok(schedule)
    }

    /// What to do now. `settled_ms`: up to where everything is settled, at first when the schedule was made; `seed`: the
    /// same for one schedule always, another for each. Not to be asked while a run of it is under way: its end is when to
    /// ask, and what was due meanwhile counts as missed.
    #[must_use]
    pub fn plan(&self, settled_ms: u64, now_ms: u64, seed: u64) -> Plan {
        let most = match self.catch_up {
            CatchUp::Skip | CatchUp::Once => 1,
            CatchUp::Each(count) => count,
        };
        let begins_ms = |due_ms: u64| due_ms.saturating_add(self.jitter(due_ms, seed));
        let mut start = Vec::new();
        // From the newest back, so that a year away costs no more than a minute.
        let mut before_ms = now_ms.saturating_add(1);
        while let Some(due_ms) = self.times.before(before_ms).filter(|due_ms| *due_ms > settled_ms) {
            before_ms = due_ms;
            if begins_ms(due_ms) <= now_ms {
                start.push(due_ms);
            }
            if start.len() >= most as usize {
                break;
            }
        }
        let settled_ms = start.first().copied().unwrap_or(settled_ms);
        start.reverse();
        if self.catch_up == CatchUp::Skip {
            start.retain(|due_ms| now_ms <= begins_ms(*due_ms).saturating_add(LATE_MS));
        }
        let wake_ms = self.times.after(settled_ms).map(begins_ms);
        Plan { start, settled_ms, wake_ms }
    }

    /// The next `count` times at which a run is due, without jitter: to be shown to people before they save.
    #[must_use]
    pub fn preview(&self, after_ms: u64, count: usize) -> Vec<u64> {
        let next = |due_ms: &u64| self.times.after(*due_ms);
        std::iter::successors(self.times.after(after_ms), next).take(count).collect()
    }

    /// A time as it is written in the zone of this schedule (RFC 3339), or in UTC where it has none.
    #[must_use]
    pub fn written(&self, ms: u64) -> String {
        let zone = match &self.times {
            Times::Cron { zone, .. } => zone.clone(),
            Times::Every { .. } => TimeZone::UTC,
        };
        zoned(ms, &zone).map(|at| at.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()).unwrap_or_default()
    }

    /// The same for the same run of the same schedule, so that a restart moves nothing.
    fn jitter(&self, due_ms: u64, seed: u64) -> u64 {
        // SplitMix64: neighbouring times must not get neighbouring numbers.
        let mut mixed = seed ^ due_ms.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % (self.jitter_ms + 1)
    }
}

impl Times {
    fn new(when: &When) -> Result<Self, Error> {
        match when {
            When::Cron { pattern, zone } => {
                if pattern.len() > PATTERN_BYTES_MAX {
                    return Err(bad("the pattern has more than 200 characters"));
                }
                let parser =
                    CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
                let reason = "the pattern has five fields, as in `0 6 * * MON-FRI`";
                let cron = parser.parse(pattern).map_err(|_| bad(reason))?;
                let zone = TimeZone::get(zone);
                let zone =
                    zone.map_err(|_| bad("the zone is one of the IANA database, as in `Europe/Berlin`"))?;
                Ok(Self::Cron { cron: Box::new(cron), zone })
            }
            When::Every { interval_ms, from_ms } => {
                if !(MINUTE_MS..=366 * DAY_MS).contains(interval_ms) {
                    return Err(bad("an interval is between a minute and 366 days"));
                }
                Ok(Self::Every { interval_ms: *interval_ms, from_ms: *from_ms })
            }
        }
    }

    /// The first time behind this one.
    fn after(&self, ms: u64) -> Option<u64> {
        match self {
            Self::Every { from_ms, .. } if ms < *from_ms => Some(*from_ms),
            Self::Every { interval_ms, from_ms } => {
                ((ms - from_ms) / interval_ms + 1).checked_mul(*interval_ms)?.checked_add(*from_ms)
            }
            Self::Cron { cron, zone } => {
                let next = cron.find_next_occurrence(&zoned(ms, zone)?, false).ok()?;
                milliseconds(&next).filter(|next_ms| *next_ms > ms)
            }
        }
    }

    /// The last time in front of this one.
    fn before(&self, ms: u64) -> Option<u64> {
        match self {
            Self::Every { interval_ms, from_ms } => {
                let since = ms.checked_sub(1)?.checked_sub(*from_ms)?;
                Some(since / interval_ms * interval_ms + from_ms)
            }
            Self::Cron { cron, zone } => {
                // Rounded up to a full second: what begins within it is in front of it too.
                let from_ms = ms.div_ceil(1_000) * 1_000;
                let before = cron.find_previous_occurrence(&zoned(from_ms, zone)?, false).ok()?;
                milliseconds(&before).filter(|before_ms| *before_ms < ms)
            }
        }
    }
}

fn zoned(ms: u64, zone: &TimeZone) -> Option<Zoned> {
    Some(Timestamp::from_millisecond(i64::try_from(ms).ok()?).ok()?.to_zoned(zone.clone()))
}

fn milliseconds(at: &Zoned) -> Option<u64> {
    // A pattern knows no parts of seconds, which a start between two of them would carry along.
    let seconds = u64::try_from(at.timestamp().as_second()).ok()?;
    seconds.checked_mul(1_000)
}

fn bad(reason: &'static str) -> Error {
    Error::BadSchedule { reason }
}

#[cfg(test)]
mod tests;
