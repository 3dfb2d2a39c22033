//! Expiry buckets and classes: which key a record shares with which others.

use std::fmt;

use crate::codec::Reader;

const HOUR_MS: u64 = 60 * 60 * 1_000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// Bytes of an encoded bucket.
pub(crate) const BUCKET_BYTES: usize = 5;

/// All records of one expiry hour or day share a key, which is destroyed when the bucket ends. The expiry is rounded
/// **down**, so a record may become unreadable early by less than an hour or a day, and never late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bucket {
    /// For what does not expire: credentials, checkpoints, settings. Its key lives as long as the keyring.
    Standing,
    /// The hour with this number since the epoch, for what lives up to 24 hours.
    Hour(u32),
    /// The day with this number since the epoch, for what lives longer.
    Day(u32),
}

impl Bucket {
    /// The bucket of a record that is written at `created_ms` and expires at `expiry_ms`, both in milliseconds since the
    /// epoch: an hour for a life of up to 24 hours, otherwise a day.
    #[must_use]
    pub fn expiring(created_ms: u64, expiry_ms: u64) -> Self {
        if expiry_ms.saturating_sub(created_ms) <= DAY_MS {
            Self::Hour(number(expiry_ms, HOUR_MS))
        } else {
            Self::Day(number(expiry_ms, DAY_MS))
        }
    }

    /// When the records of the bucket stop to be served and its key is due for destruction; none: never.
    #[must_use]
    pub fn ends_ms(self) -> Option<u64> {
        match self {
            Self::Standing => None,
            Self::Hour(hour) => Some(u64::from(hour).saturating_mul(HOUR_MS)),
            Self::Day(day) => Some(u64::from(day).saturating_mul(DAY_MS)),
        }
    }

    /// Whether the bucket has ended.
    #[must_use]
    pub fn has_ended(self, now_ms: u64) -> bool {
        self.ends_ms().is_some_and(|end_ms| end_ms <= now_ms)
    }

    pub(crate) fn encode(self) -> [u8; BUCKET_BYTES] {
        let (span, number): (u8, u32) = match self {
            Self::Standing => (0, 0),
            Self::Hour(hour) => (1, hour),
            Self::Day(day) => (2, day),
        };
        let [a, b, c, d] = number.to_be_bytes();
        [span, a, b, c, d]
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Option<Self> {
        match (reader.u8()?, reader.u32()?) {
            (0, 0) => Some(Self::Standing),
            (1, hour) => Some(Self::Hour(hour)),
            (2, day) => Some(Self::Day(day)),
            _ => None,
        }
    }
}

impl fmt::Display for Bucket {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Standing => formatter.write_str("standing"),
            Self::Hour(hour) => write!(formatter, "hour {hour}"),
            Self::Day(day) => write!(formatter, "day {day}"),
        }
    }
}

/// Rounded down also where the number does not fit, some 490,000 years from now.
fn number(expiry_ms: u64, span_ms: u64) -> u32 {
    u32::try_from(expiry_ms / span_ms).unwrap_or(u32::MAX)
}

/// What a record is: records of different classes never share a data key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Secrets of connections.
    Credentials,
    /// Rows and what quotes them: row errors, previews, events, log lines of guests.
    Rows,
    /// Positions in sources.
    Checkpoints,
    /// What a run may lose.
    Cache,
    /// Settings, counters, names.
    Metadata,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 5] =
        [Self::Credentials, Self::Rows, Self::Checkpoints, Self::Cache, Self::Metadata];

    pub(crate) fn encode(self) -> u8 {
        match self {
            Self::Credentials => 1,
            Self::Rows => 2,
            Self::Checkpoints => 3,
            Self::Cache => 4,
            Self::Metadata => 5,
        }
    }

    pub(crate) fn decode(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.encode() == byte)
    }
}

#[cfg(test)]
mod tests {
    use super::{Bucket, Class, DAY_MS, HOUR_MS};
    use crate::codec::Reader;

    #[test]
    fn an_expiry_is_rounded_down() {
        let expiry_ms = 100 * DAY_MS + 13 * HOUR_MS + 45 * 60_000;
        let hour = Bucket::expiring(expiry_ms - DAY_MS, expiry_ms);
        assert_eq!(hour, Bucket::Hour(100 * 24 + 13));
        assert_eq!(hour.ends_ms(), Some(100 * DAY_MS + 13 * HOUR_MS));
        let day = Bucket::expiring(expiry_ms - DAY_MS - 1, expiry_ms);
        assert_eq!((day, day.ends_ms()), (Bucket::Day(100), Some(100 * DAY_MS)));
    }

    #[test]
    fn a_bucket_ends_at_its_first_moment() {
        assert!(!Bucket::Hour(2).has_ended(2 * HOUR_MS - 1));
        assert!(Bucket::Hour(2).has_ended(2 * HOUR_MS));
        assert!(!Bucket::Standing.has_ended(u64::MAX));
    }

    #[test]
    fn no_expiry_is_too_far_and_none_is_served_late() {
        for expiry_ms in [0, 1, u64::MAX / 2, u64::MAX] {
            for created_ms in [0, expiry_ms.saturating_sub(1)] {
                assert!(Bucket::expiring(created_ms, expiry_ms).ends_ms().unwrap() <= expiry_ms);
            }
        }
    }

    #[test]
    fn buckets_and_classes_survive_their_encoding() {
        for bucket in [Bucket::Standing, Bucket::Hour(u32::MAX), Bucket::Day(7)] {
            assert_eq!(Bucket::read(&mut Reader::new(&bucket.encode())), Some(bucket));
        }
        assert_eq!(Bucket::read(&mut Reader::new(&[0, 0, 0, 0, 1])), None);
        assert_eq!(Class::ALL.map(|class| Class::decode(class.encode())), Class::ALL.map(Some));
        assert_eq!(Class::decode(0), None);
    }
}
