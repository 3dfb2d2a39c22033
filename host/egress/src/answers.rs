//! Answers of name servers, kept by one client for itself: how soon an answer comes would tell others what was asked before.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Names whose answers are kept. They are judged anew each time they are used.
const KEPT_MAX: usize = 1024;

/// The addresses of a name, or why it has none.
pub(crate) type Found = Result<Arc<[IpAddr]>, Arc<str>>;

/// What was answered, by name.
#[derive(Default)]
pub(crate) struct Answers(Mutex<HashMap<Box<str>, Answer>>);

struct Answer {
    found: Found,
    until: Instant,
    /// Which name servers were asked: others may say otherwise.
    asked: u64,
}

impl Answers {
    /// What these name servers said of the name, while it holds.
    pub(crate) fn known(&self, host: &str, asked: u64) -> Option<Found> {
        let answers = self.lock();
        let answer = answers.get(host)?;
        (answer.asked == asked && Instant::now() < answer.until).then(|| answer.found.clone())
    }

    /// Keeps it for so long.
    pub(crate) fn keep(&self, host: &str, asked: u64, found: Found, holds: Duration) {
        if holds.is_zero() {
            return;
        }
        let now = Instant::now();
        let mut answers = self.lock();
        if answers.len() >= KEPT_MAX {
            answers.retain(|_, answer| answer.asked == asked && now < answer.until);
        }
        // A client that has so many at once asks for each further name as often as it wants it.
        if answers.len() < KEPT_MAX || answers.contains_key(host) {
            answers.insert(host.into(), Answer { found, until: now + holds, asked });
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Box<str>, Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use super::{Answers, Found, KEPT_MAX};

    const MINUTE: Duration = Duration::from_secs(60);

    fn one() -> Found {
        Ok([IpAddr::from([192, 0, 2, 7])].into())
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_known_while_it_holds_and_to_whoever_asks_the_same_servers() {
        let answers = Answers::default();
        answers.keep("api.test", 1, one(), MINUTE);
        answers.keep("gone.test", 1, Err("no such name".into()), MINUTE);
        answers.keep("of-the-moment.test", 1, one(), Duration::ZERO);
        assert_eq!(answers.known("api.test", 1), Some(one()));
        assert_eq!(answers.known("gone.test", 1), Some(Err("no such name".into())));
        assert_eq!(answers.known("of-the-moment.test", 1), None);
        assert_eq!(answers.known("api.test", 2), None, "other name servers may say otherwise");
        tokio::time::advance(MINUTE).await;
        assert_eq!(answers.known("api.test", 1), None);
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_answers_are_kept_than_fit_and_old_ones_make_room() {
        let answers = Answers::default();
        (0..KEPT_MAX).for_each(|number| answers.keep(&format!("h{number}.test"), 1, one(), MINUTE));
        answers.keep("further.test", 1, one(), MINUTE);
        assert_eq!((answers.known("further.test", 1), answers.lock().len()), (None, KEPT_MAX));
        tokio::time::advance(MINUTE).await;
        answers.keep("further.test", 1, one(), MINUTE);
        assert_eq!((answers.known("further.test", 1), answers.lock().len()), (Some(one()), 1));
    }
}
