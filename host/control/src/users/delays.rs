//! Slows down who tries passwords, and locks nobody out.
//!
//! Three counts of failures since the last success: of an account from an address, of an address, and of an account. The
//! first two make whoever fails wait longer and longer, one attempt after the other, and at last send away; they are that
//! address's own doing. The third, which anybody can drive up, makes everybody wait for some seconds at most and sends
//! nobody away: so who attacks an account from many addresses is slowed, and its owner still comes in.
//!
//! Kept in memory: a write to disk for each failure would be a gift to whoever attacks. A restart forgets.

use crate::error::Error;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Failures that cost nothing: people mistype, and offices share an address.
const PAIR_FREE: u32 = 3;
const ADDRESS_FREE: u32 = 20;
const ACCOUNT_FREE: u32 = 10;
const FIRST_DELAY_MS: u64 = 1_000;
const DELAY_MS_MAX: u64 = 30_000;
/// What the owner of an account waits for at most because of others.
const ACCOUNT_DELAY_MS_MAX: u64 = 5_000;
/// Whoever would have to wait for longer is told when to come again.
const WAIT_MS_MAX: u64 = 60_000;
/// After so long without an attempt a count is forgotten.
const FORGET_MS: u64 = 60 * 60 * 1_000;
/// About 100 bytes each.
const ENTRIES_MAX: usize = 100_000;

/// A keyed hash of what was given as the address of e-mail, whether anybody knows it or not.
pub(super) type Account = [u8; 32];

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Of {
    Pair(Account, IpAddr),
    Address(IpAddr),
    Account(Account),
}

#[derive(Debug, Clone, Copy, Default)]
struct Count {
    failures: u32,
    /// When the next attempt may be made.
    next_ms: u64,
    last_ms: u64,
}

/// An attempt that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attempt {
    account: Account,
    address: IpAddr,
    /// For how long it must wait.
    pub(super) wait_ms: u64,
    /// Which failure in a row it is for this account and address, if it is one.
    pub(super) failures: u32,
}

#[derive(Default)]
pub(super) struct Delays {
    counts: Mutex<HashMap<Of, Count>>,
}

impl Delays {
    /// Counts an attempt as failed before it is made, so that many at once are no way around the delay.
    pub(super) fn begin(&self, account: Account, address: IpAddr, now_ms: u64) -> Result<Attempt, Error> {
        let address = network(address);
        let of = [
            (Of::Pair(account, address), PAIR_FREE),
            (Of::Address(address), ADDRESS_FREE),
            (Of::Account(account), ACCOUNT_FREE),
        ];
        let mut counts = self.counts();
        make_room(&mut counts, now_ms);
        let read = |of: &Of| match counts.get(of) {
            Some(count) if now_ms.saturating_sub(count.last_ms.max(count.next_ms)) < FORGET_MS => *count,
            _ => Count::default(),
        };
        let [pair, by_address, by_account] = of.each_ref().map(|(of, _)| read(of));
        let own_wait_ms = pair.next_ms.max(by_address.next_ms).saturating_sub(now_ms);
        if own_wait_ms > WAIT_MS_MAX {
            return Err(Error::TooManyAttempts { retry_after_ms: own_wait_ms });
        }
        let account_wait_ms = delay_ms(by_account.failures, ACCOUNT_FREE).min(ACCOUNT_DELAY_MS_MAX);
        let wait_ms = own_wait_ms.max(account_wait_ms);
        for ((of, free), count) in of.into_iter().zip([pair, by_address, by_account]) {
            let failures = count.failures.saturating_add(1);
            let next_ms = now_ms + wait_ms + delay_ms(failures, free);
            counts.insert(of, Count { failures, next_ms, last_ms: now_ms });
        }
        Ok(Attempt { account, address, wait_ms, failures: pair.failures.saturating_add(1) })
    }

    /// The attempt was no failure, and no success that forgives earlier ones.
    pub(super) fn withdraw(&self, attempt: &Attempt) {
        let Attempt { account, address, .. } = *attempt;
        let mut counts = self.counts();
        for of in [Of::Pair(account, address), Of::Address(address), Of::Account(account)] {
            take_back(&mut counts, of);
        }
    }

    /// The attempt was a success: its account's earlier failures were somebody's own. Those of the address, which may try
    /// other accounts, stay.
    pub(super) fn succeed(&self, attempt: &Attempt) {
        let Attempt { account, address, .. } = *attempt;
        let mut counts = self.counts();
        counts.remove(&Of::Pair(account, address));
        counts.remove(&Of::Account(account));
        take_back(&mut counts, Of::Address(address));
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<Of, Count>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn take_back(counts: &mut HashMap<Of, Count>, of: Of) {
    if let Some(count) = counts.get_mut(&of) {
        count.failures = count.failures.saturating_sub(1);
        count.next_ms = count.last_ms;
    }
}

/// None while they are free, then twice as long each time.
fn delay_ms(failures: u32, free: u32) -> u64 {
    match failures.checked_sub(free + 1) {
        Some(over) => FIRST_DELAY_MS.checked_shl(over.min(32)).unwrap_or(DELAY_MS_MAX).min(DELAY_MS_MAX),
        None => 0,
    }
}

/// One customer of a provider has 2^64 addresses of IPv6 or more; they count as one.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

/// What is over goes first, then what was seen longest ago: a quarter at once, so that it is seldom done.
fn make_room(counts: &mut HashMap<Of, Count>, now_ms: u64) {
    if counts.len() + 3 <= ENTRIES_MAX {
        return;
    }
    counts.retain(|_, count| now_ms.saturating_sub(count.last_ms.max(count.next_ms)) < FORGET_MS);
    if counts.len() > ENTRIES_MAX / 4 * 3 {
        let mut seen: Vec<u64> = counts.values().map(|count| count.last_ms).collect();
        let (_, oldest_ms, _) = seen.select_nth_unstable(ENTRIES_MAX / 4);
        let oldest_ms = *oldest_ms;
        let mut left = ENTRIES_MAX / 4;
        counts.retain(|_, count| {
            let goes = left > 0 && count.last_ms <= oldest_ms;
            left -= usize::from(goes);
            !goes
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{Account, DELAY_MS_MAX, Delays, ENTRIES_MAX, FORGET_MS, WAIT_MS_MAX};
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    const ADA: Account = [1; 32];
    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));

    fn other(number: u32) -> IpAddr {
        Ipv4Addr::from_bits(0x0a00_0000 + number).into()
    }

    #[test]
    fn who_fails_waits_twice_as_long_each_time_up_to_half_a_minute() {
        let delays = Delays::default();
        let mut now_ms = 0;
        let mut waits = Vec::new();
        for _ in 0..12 {
            let attempt = delays.begin(ADA, HERE, now_ms).unwrap();
            waits.push(attempt.wait_ms / 1_000);
            now_ms += attempt.wait_ms;
        }
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 30, 30, 30]);
    }

    #[test]
    fn many_at_once_wait_one_behind_the_other_and_are_then_sent_away() {
        let delays = Delays::default();
        let attempts: Vec<_> = (0..40).map(|_| delays.begin(ADA, HERE, 0)).collect();
        let waits: Vec<u64> = attempts.iter().flatten().map(|attempt| attempt.wait_ms / 1_000).collect();
        assert_eq!(waits, [0, 0, 0, 0, 1, 3, 7, 15, 31]);
        let error = attempts.into_iter().find_map(Result::err).unwrap();
        assert_eq!(error.code(), "CD1223");
        // After that time there is a next one.
        assert!(delays.begin(ADA, HERE, WAIT_MS_MAX + 1_000).is_ok());
    }

    #[test]
    fn an_attack_from_many_addresses_slows_the_owner_by_seconds_and_locks_nobody_out() {
        let delays = Delays::default();
        for number in 0..10_000 {
            let wait_ms = delays.begin(ADA, other(number), 0).unwrap().wait_ms;
            assert!(wait_ms <= 5_000);
        }
        assert_eq!(delays.begin(ADA, HERE, 0).unwrap().wait_ms, 5_000);
    }

    #[test]
    fn who_tries_many_accounts_from_one_address_waits_and_others_do_not() {
        let delays = Delays::default();
        let tried =
            (0..60_u8).map(|number| delays.begin([number; 32], HERE, 0)).filter(Result::is_ok).count();
        assert!((21..30).contains(&tried), "{tried}");
        assert_eq!(delays.begin([99; 32], other(1), 0).unwrap().wait_ms, 0);
    }

    #[test]
    fn a_success_forgives_the_account_and_not_the_address() {
        let delays = Delays::default();
        for number in 0..8_u64 {
            let now_ms = number * DELAY_MS_MAX;
            delays.begin(ADA, HERE, now_ms).unwrap();
        }
        let attempt = delays.begin(ADA, HERE, 20 * DELAY_MS_MAX).unwrap();
        assert_eq!(attempt.failures, 9);
        delays.succeed(&attempt);
        let next = delays.begin(ADA, HERE, 20 * DELAY_MS_MAX).unwrap();
        assert_eq!((next.wait_ms, next.failures), (0, 1));
        // Eight of the address's twenty are spent, and one is under way.
        let free = (10..40_u8).map_while(|number| {
            let attempt = delays.begin([number; 32], HERE, 20 * DELAY_MS_MAX).ok()?;
            (attempt.wait_ms == 0).then_some(())
        });
        assert_eq!(free.count(), 12);
    }

    #[test]
    fn an_attempt_that_is_withdrawn_counts_for_nothing() {
        let delays = Delays::default();
        for _ in 0..100 {
            let attempt = delays.begin(ADA, HERE, 0).unwrap();
            assert_eq!((attempt.wait_ms, attempt.failures), (0, 1));
            delays.withdraw(&attempt);
        }
    }

    #[test]
    fn failures_are_forgotten_after_an_hour_of_quiet() {
        let delays = Delays::default();
        let last = (0..6).map(|_| delays.begin(ADA, HERE, 0).unwrap()).last().unwrap();
        assert_eq!(last.failures, 6);
        assert_eq!(delays.begin(ADA, HERE, FORGET_MS - 1).unwrap().failures, 7);
        assert_eq!(delays.begin(ADA, HERE, 3 * FORGET_MS).unwrap().failures, 1);
    }

    #[test]
    fn a_network_of_ipv6_and_a_mapped_address_count_as_one() {
        let delays = Delays::default();
        let six = |low: u128| IpAddr::V6(Ipv6Addr::from_bits((0x2001_0db8 << 96) + low));
        for low in 0..3 {
            delays.begin(ADA, six(low), 0).unwrap();
        }
        assert_eq!(delays.begin(ADA, six(1 << 63), 0).unwrap().failures, 4);
        assert_eq!(delays.begin(ADA, six(1 << 64), 0).unwrap().failures, 1);
        delays.begin(ADA, HERE, 0).unwrap();
        let IpAddr::V4(four) = HERE else { panic!() };
        assert_eq!(delays.begin(ADA, four.to_ipv6_mapped().into(), 0).unwrap().failures, 2);
    }

    #[test]
    fn memory_is_bounded_and_the_newest_are_kept() {
        let delays = Delays::default();
        for number in 0..ENTRIES_MAX as u32 {
            let mut account = ADA;
            account[..4].copy_from_slice(&number.to_be_bytes());
            delays.begin(account, other(number), u64::from(number)).unwrap();
        }
        assert!(delays.counts().len() <= ENTRIES_MAX);
        let newest = ENTRIES_MAX as u32 - 1;
        let mut account = ADA;
        account[..4].copy_from_slice(&newest.to_be_bytes());
        assert_eq!(delays.begin(account, other(newest), u64::from(newest)).unwrap().failures, 2);
    }
}
