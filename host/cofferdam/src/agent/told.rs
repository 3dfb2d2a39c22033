//! How far a run is: for those who look on, counts over all its streams, a few times a second at most; for whoever holds it,
//! that it has committed something.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use control::{Live, Order, RunCounts};
use pipeline::run::{GroupProgress, Observer, Phase, StreamProgress};
use tokio::sync::Notify;

use crate::units::now_ms;

/// Often enough to look live; each is looked at by everybody who listens.
const TELL_EVERY: Duration = Duration::from_millis(250);

/// Tells how far a run is.
pub(super) struct Told {
    live: Arc<Live>,
    order: Order,
    moved: Arc<Notify>,
    every: Duration,
    counted: Mutex<Counted>,
}

#[derive(Default)]
struct Counted {
    streams: BTreeMap<(String, String), RunCounts>,
    told: Option<Instant>,
}

impl Told {
    pub(super) fn new(live: Arc<Live>, order: Order, moved: Arc<Notify>) -> Self {
        Self { live, order, moved, every: TELL_EVERY, counted: Mutex::default() }
    }

    fn tell(&self, counted: &mut Counted) {
        counted.told = Some(Instant::now());
        let counts = counted.streams.values().fold(RunCounts::default(), |sum, counts| RunCounts {
            read: sum.read.saturating_add(counts.read),
            accepted: sum.accepted.saturating_add(counts.accepted),
            rejected: sum.rejected.saturating_add(counts.rejected),
            filtered: sum.filtered.saturating_add(counts.filtered),
        });
        let Order { organization, run, sync, .. } = &self.order;
        self.live.progress(organization, now_ms(), (run, sync), counts);
    }
}

impl Observer for Told {
    fn stream(&self, progress: StreamProgress) {
        let StreamProgress { group, stream, read, accepted, rejected, filtered, committed, .. } = progress;
        if committed > 0 {
            self.moved.notify_one();
        }
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        counted.streams.insert((group, stream), RunCounts { read, accepted, rejected, filtered });
        if counted.told.is_none_or(|told| told.elapsed() >= self.every) {
            self.tell(&mut counted);
        }
    }

    /// What a group counted last is told, however short before it something was.
    fn group(&self, progress: GroupProgress) {
        if progress.phase == Phase::Ended {
            self.tell(&mut self.counted.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Told;
    use control::{Cause, Happened, Heard, Listener, Live, LiveEvent, Order};
    use pipeline::run::{GroupProgress, Observer, Phase, StreamProgress};
    use std::sync::Arc;
    use std::time::Duration;

    #[tokio::test]
    async fn the_counts_of_all_streams_are_told_seldom_and_at_the_end() {
        let live = Arc::new(Live::default());
        let mut listener = live.listen("acme", None);
        assert_eq!(listener.next().await.unwrap().len(), 1);
        let order = Order {
            run: "run".into(),
            organization: "acme".into(),
            sync: "syn".into(),
            cause: Cause::Event,
            attempt: 1,
            is_last: false,
            fence: 1,
            queued_ms: 0,
        };
        let told = Told { every: Duration::MAX, ..Told::new(Arc::clone(&live), order, Arc::default()) };
        let moved = |stream: &str, read| {
            let (group, stream) = ("all".to_owned(), stream.to_owned());
            told.stream(StreamProgress { group, stream, read, accepted: read, ..StreamProgress::default() });
        };
        moved("a", 1);
        assert_eq!(heard(&mut listener).await, Some(1));
        moved("a", 2);
        moved("b", 5);
        assert_eq!(heard(&mut listener).await, None);
        told.group(GroupProgress { group: "all".into(), attempt: 1, phase: Phase::Ended });
        assert_eq!(heard(&mut listener).await, Some(7));
        let told = Told { every: Duration::ZERO, ..told };
        for read in [8, 9] {
            let (group, stream) = ("all".to_owned(), "a".to_owned());
            told.stream(StreamProgress { group, stream, read, ..StreamProgress::default() });
            assert_eq!(heard(&mut listener).await, Some(read + 5));
        }
    }

    /// Rows read, if there is something to hear.
    async fn heard(listener: &mut Listener) -> Option<u64> {
        let heard = tokio::time::timeout(Duration::ZERO, listener.next()).await.ok()?;
        match heard.unwrap().pop().unwrap() {
            (_, Heard::Event(LiveEvent { what: Happened::RunProgress { run, sync, counts }, .. })) => {
                assert_eq!((run.as_str(), sync.as_str()), ("run", "syn"));
                Some(counts.read)
            }
            other => panic!("{other:?}"),
        }
    }
}
