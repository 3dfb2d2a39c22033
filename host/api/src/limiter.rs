//! How often somebody may ask: on average, and at once. Each caller has a measure of their own, and each address that
//! nobody is known to come from.

use crate::fault::Fault;
use crate::options::Rates;
use governor::clock::{Clock, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};

type Keyed<K> = RateLimiter<K, HashMapStateStore<K>, DefaultClock>;

/// Who has not asked for a while is forgotten at one in so many requests.
const FORGET_EVERY: u64 = 4_096;

pub(crate) struct Limiter {
    clock: DefaultClock,
    callers: Keyed<String>,
    strangers: Keyed<IpAddr>,
    asked: AtomicU64,
}

impl Limiter {
    pub(crate) fn new(rates: &Rates) -> Self {
        let quota = |per_second: NonZeroU32, burst| Quota::per_second(per_second).allow_burst(burst);
        let callers = quota(rates.caller_per_second, rates.caller_burst);
        let strangers = quota(rates.stranger_per_second, rates.stranger_burst);
        Self {
            clock: DefaultClock::default(),
            callers: RateLimiter::hashmap(callers),
            strangers: RateLimiter::hashmap(strangers),
            asked: AtomicU64::new(0),
        }
    }

    /// A person or a token asks.
    pub(crate) fn caller(&self, id: &str) -> Result<(), Fault> {
        self.check(&self.callers, &id.to_owned())
    }

    /// Somebody asks of whom nothing is known but the address.
    pub(crate) fn stranger(&self, address: IpAddr) -> Result<(), Fault> {
        self.check(&self.strangers, &network(address))
    }

    fn check<K: Clone + Hash + Eq>(&self, of: &Keyed<K>, key: &K) -> Result<(), Fault> {
        if self.asked.fetch_add(1, Ordering::Relaxed) % FORGET_EVERY == FORGET_EVERY - 1 {
            self.callers.retain_recent();
            self.strangers.retain_recent();
        }
        of.check_key(key).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now());
            // A part of a millisecond is waited for too.
            Fault::TooMany {
                retry_after_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1),
            }
        })
    }
}

/// Whoever has one address of IPv6 has as many as they like of the same network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::Limiter;
    use crate::fault::Fault;
    use crate::options::Rates;
    use std::num::NonZeroU32;

    fn limiter() -> Limiter {
        let number = |number| NonZeroU32::new(number).unwrap();
        Limiter::new(&Rates {
            caller_per_second: number(1),
            caller_burst: number(3),
            stranger_per_second: number(1),
            stranger_burst: number(2),
        })
    }

    #[test]
    fn each_caller_has_a_measure_of_their_own() {
        let limiter = limiter();
        for _ in 0..3 {
            assert_eq!(limiter.caller("a"), Ok(()));
        }
        let Err(Fault::TooMany { retry_after_ms }) = limiter.caller("a") else { panic!() };
        assert!((1..=1_001).contains(&retry_after_ms), "{retry_after_ms}");
        assert_eq!(limiter.caller("b"), Ok(()));
    }

    #[test]
    fn strangers_of_one_network_share_a_measure() {
        let limiter = limiter();
        let ask = |address: &str| limiter.stranger(address.parse().unwrap()).is_ok();
        assert!(ask("2001:db8::1") && ask("2001:db8::2") && !ask("2001:db8::3"));
        assert!(ask("2001:db8:0:1::1"));
        assert!(ask("192.0.2.1") && ask("192.0.2.2") && ask("::ffff:192.0.2.1") && !ask("192.0.2.1"));
    }
}
