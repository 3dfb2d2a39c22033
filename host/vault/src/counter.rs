//! Counts the messages of one key. What is on disk is never less than what was sealed: a range is reserved there first.

use std::sync::atomic::{AtomicU64, Ordering};

/// Where a key stops for good. XAES-256-GCM bears 2^80 messages under one key; this is what a key cannot reach in
/// honest use (a million messages a second for nine years), so reaching it means that something is wrong.
pub(crate) const MESSAGES_MAX: u64 = 1 << 48;
/// What one write of the keyring reserves: seldom enough to cost nothing, and 16 million crashes reach the limit.
const RESERVED: u64 = 1 << 24;

/// Why a key does not count further.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// What is reserved on disk is used up.
    Unsaved,
    /// The key has reached its limit.
    Exhausted,
}

/// The counter of one key.
pub(crate) struct Counter {
    used: AtomicU64,
    reserved: AtomicU64,
}

impl Counter {
    /// As read from disk: all that was reserved may have been used. Nothing can be sealed before more is reserved.
    pub(crate) fn stored(reserved: u64) -> Self {
        Self { used: AtomicU64::new(reserved), reserved: AtomicU64::new(reserved) }
    }

    /// Counts one message.
    pub(crate) fn take(&self) -> Result<(), Stop> {
        let reserved = self.reserved.load(Ordering::Acquire);
        let count = |used| (used < reserved).then(|| used + 1);
        match self.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, count) {
            Ok(_) => Ok(()),
            Err(used) if used >= MESSAGES_MAX => Err(Stop::Exhausted),
            Err(_) => Err(Stop::Unsaved),
        }
    }

    /// What the next write of the keyring is to reserve.
    pub(crate) fn to_reserve(&self) -> u64 {
        self.used.load(Ordering::Acquire).saturating_add(RESERVED).min(MESSAGES_MAX)
    }

    /// That write is durable.
    pub(crate) fn set_reserved(&self, reserved: u64) {
        self.reserved.store(reserved, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::{Counter, MESSAGES_MAX, RESERVED, Stop};

    #[test]
    fn nothing_is_counted_beyond_what_is_on_disk() {
        let counter = Counter::stored(0);
        assert_eq!(counter.take(), Err(Stop::Unsaved));
        counter.set_reserved(2);
        assert_eq!([counter.take(), counter.take(), counter.take()], [Ok(()), Ok(()), Err(Stop::Unsaved)]);
        assert_eq!(counter.to_reserve(), 2 + RESERVED);
    }

    #[test]
    fn a_key_stops_for_good_at_its_limit() {
        let counter = Counter::stored(MESSAGES_MAX - 1);
        assert_eq!(counter.to_reserve(), MESSAGES_MAX);
        counter.set_reserved(MESSAGES_MAX);
        assert_eq!([counter.take(), counter.take()], [Ok(()), Err(Stop::Exhausted)]);
        counter.set_reserved(counter.to_reserve());
        assert_eq!(counter.take(), Err(Stop::Exhausted));
    }
}
