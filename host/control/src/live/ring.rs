//! What happened last in one organization: numbered, and bounded.

use super::{Happened, LiveEvent};
use std::collections::VecDeque;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// A few seconds of a busy organization: who reads more slowly is better served by lists. About 150 bytes each.
pub(super) const EVENTS_MAX: usize = 512;
/// More runs than an organization may have under way at one time.
pub(super) const PROGRESS_MAX: usize = 64;

#[derive(Debug)]
pub(super) struct Ring {
    /// Another one for each ring, so that a number of one that is gone is not taken for one of this.
    epoch: u64,
    events: VecDeque<(u64, LiveEvent)>,
    /// How far each run is, by the time at which it said so.
    progress: Vec<(u64, LiveEvent)>,
    /// The latest that is not held any more.
    lost: u64,
    latest: watch::Sender<u64>,
    /// Since when nobody listens.
    left: Option<Instant>,
}

impl Default for Ring {
    fn default() -> Self {
        Self {
            // Seeded by the system; it has to differ, not to be secret.
            epoch: RandomState::new().build_hasher().finish(),
            events: VecDeque::new(),
            progress: Vec::new(),
            lost: 0,
            latest: watch::Sender::new(0),
            left: None,
        }
    }
}

impl Ring {
    pub(super) fn push(&mut self, event: LiveEvent) {
        let number = self.now() + 1;
        if let Some(run) = run_of(&event.what) {
            self.progress.retain(|(_, held)| run_of(&held.what) != Some(run));
        }
        if matches!(event.what, Happened::RunProgress { .. }) {
            if self.progress.len() >= PROGRESS_MAX {
                self.progress.remove(0);
            }
            self.progress.push((number, event));
        } else {
            if self.events.len() >= EVENTS_MAX {
                self.lost = self.events.pop_front().map_or(self.lost, |(lost, _)| lost);
            }
            self.events.push_back((number, event));
        }
        self.latest.send_replace(number);
    }

    /// The number of what happened last.
    pub(super) fn now(&self) -> u64 {
        *self.latest.borrow()
    }

    /// A number, as listeners are told it.
    pub(super) fn name(&self, number: u64) -> String {
        format!("{:016x}-{number}", self.epoch)
    }

    /// The number that was told so; none: it was not told by this ring.
    pub(super) fn place_of(&self, name: &str) -> Option<u64> {
        let (epoch, number) = name.split_once('-')?;
        let is_ours = u64::from_str_radix(epoch, 16) == Ok(self.epoch);
        number.parse().ok().filter(|number| is_ours && *number <= self.now())
    }

    pub(super) fn holds_all_behind(&self, number: u64) -> bool {
        number >= self.lost
    }

    /// What happened behind this number, in its order.
    pub(super) fn behind(&self, number: u64) -> Vec<(String, LiveEvent)> {
        let all = self.events.iter().chain(&self.progress);
        let mut behind: Vec<&(u64, LiveEvent)> = all.filter(|(at, _)| *at > number).collect();
        behind.sort_by_key(|(at, _)| *at);
        behind.into_iter().map(|(at, event)| (self.name(*at), event.clone())).collect()
    }

    pub(super) fn come(&mut self) -> watch::Receiver<u64> {
        self.left = None;
        self.latest.subscribe()
    }

    /// Of these is one; it goes.
    pub(super) fn go(&mut self, latest: &watch::Receiver<u64>) {
        if self.is_heard_by(latest) && self.latest.receiver_count() <= 1 {
            self.left = Some(Instant::now());
        }
    }

    pub(super) fn is_heard_by(&self, latest: &watch::Receiver<u64>) -> bool {
        latest.same_channel(&self.latest.subscribe())
    }

    pub(super) fn is_left(&self, since: Duration) -> bool {
        self.left.is_some_and(|left| left.elapsed() > since)
    }
}

fn run_of(what: &Happened) -> Option<&str> {
    match what {
        Happened::RunProgress { run, .. } | Happened::RunEnded { run, .. } => Some(run),
        _ => None,
    }
}
