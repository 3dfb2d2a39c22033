//! Users who were sent to a provider to consent, until they come back: in memory, for ten minutes, once.

use control::Secret;
use manifest::credential::Binding;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A person may have to find a password first.
pub(crate) const CONSENT_MAX: Duration = Duration::from_secs(10 * 60);
/// At once by one person. Whoever begins more has given the oldest up.
const OF_ONE_MAX: usize = 8;

/// Somebody who was sent to a provider.
pub(crate) struct Sent {
    pub(crate) user: String,
    /// The session that began it, which alone may end it.
    pub(crate) shown: Arc<Secret>,
    pub(crate) organization: String,
    pub(crate) connection: String,
    pub(crate) ask: String,
    /// For what the credential was asked then.
    pub(crate) binding: Binding,
    pub(crate) redirect: String,
    pub(crate) verifier: Secret,
    /// Who must answer, where the answer says it (RFC 9207).
    pub(crate) issuer: Option<String>,
    /// Of the cookie that the browser got when it began.
    pub(crate) cookie: [u8; 32],
}

/// Everybody who was sent and has not come back. Known by digests, so how long a look takes tells nothing of what is there.
#[derive(Default)]
pub(crate) struct Consents(Mutex<HashMap<[u8; 32], (Sent, Instant)>>);

impl Consents {
    pub(crate) fn begin(&self, state: &str, sent: Sent, now: Instant) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, (_, began)| now.duration_since(*began) < CONSENT_MAX);
        let of_one = known.iter().filter(|(_, (other, _))| other.user == sent.user);
        if of_one.clone().count() >= OF_ONE_MAX
            && let Some(oldest) = of_one.min_by_key(|(_, (_, began))| *began).map(|(state, _)| *state)
        {
            known.remove(&oldest);
        }
        known.insert(digest(state), (sent, now));
    }

    /// Whoever was sent with this state, once.
    pub(crate) fn end(&self, state: &str, now: Instant) -> Option<Sent> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (sent, began) = known.remove(&digest(state))?;
        (now.duration_since(began) < CONSENT_MAX).then_some(sent)
    }
}

pub(crate) fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests {
    use super::{CONSENT_MAX, Consents, Sent};
    use control::Secret;
    use manifest::credential::Binding;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    fn sent(user: &str) -> Sent {
        let binding: Binding = serde_json::from_value("ab".into()).unwrap();
        Sent {
            user: user.into(),
            shown: Arc::new(Secret::new("x".into())),
            organization: "org".into(),
            connection: "con".into(),
            ask: "ask".into(),
            binding,
            redirect: "https://x".into(),
            verifier: Secret::new("x".into()),
            issuer: None,
            cookie: [0; 32],
        }
    }

    #[test]
    fn who_was_sent_may_come_back_once_within_ten_minutes() {
        let (consents, now) = (Consents::default(), Instant::now());
        let second = Duration::from_secs(1);
        for state in ["in time", "late"] {
            consents.begin(state, sent("usr"), now);
        }
        assert!(consents.end("in time", now + CONSENT_MAX - second).is_some());
        assert!(consents.end("in time", now).is_none());
        assert!(consents.end("late", now + CONSENT_MAX).is_none());
        assert!(consents.end("of nobody", now).is_none());
    }

    #[test]
    fn of_many_that_one_person_begins_the_newest_count_and_nobody_else_loses_any() {
        let (consents, now) = (Consents::default(), Instant::now());
        consents.begin("other", sent("other"), now);
        for number in 0..9 {
            let later = now + Duration::from_secs(number);
            consents.begin(&number.to_string(), sent("usr"), later);
        }
        assert!(consents.end("0", now).is_none());
        let left = (1..9).filter(|number| consents.end(&number.to_string(), now + CONSENT_MAX / 2).is_some());
        assert_eq!((left.count(), consents.end("other", now).is_some()), (8, true));
        // What is late is forgotten when somebody else begins.
        consents.begin("old", sent("usr"), now);
        consents.begin("new", sent("other"), now + CONSENT_MAX);
        assert_eq!(consents.0.lock().unwrap().len(), 1);
    }
}
