//! What an instance read of its clocks, and which of the things that it waited for were there first. For each call of the
//! contract apart: a source is told of commits whenever they happen, and what it reads of the clock then must not be taken
//! for what it reads while it is asked for rows.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

/// What a wait ended with: which of the things waited for, by their places in the list.
pub type Ready = Vec<u32>;

/// One line of a tape. The figure behind a reading says how often it was read in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    /// From what all of the instance's randomness is made, in hexadecimal digits.
    Seed(String),
    /// A call of the contract begins.
    Call(String),
    /// The time of day, in milliseconds since 1970.
    WallMs(u64, u64),
    /// Milliseconds since the instance began.
    MonotonicMs(u64, u64),
    /// What a wait ended with.
    Ready(Ready, u64),
}

/// Readings that are told again, each as often as it was read.
#[derive(Debug, Default)]
struct Readings<T>(VecDeque<(T, u64)>);

impl<T: Clone> Readings<T> {
    fn next(&mut self) -> Option<T> {
        let (value, times) = self.0.front_mut()?;
        if *times > 1 {
            *times -= 1;
            return Some(value.clone());
        }
        self.0.pop_front().map(|(value, _)| value)
    }
}

#[derive(Debug, Default)]
struct OfCall {
    wall: Readings<u64>,
    monotonic: Readings<u64>,
    ready: Readings<Ready>,
}

/// What is told again of one instance.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    calls: BTreeMap<String, OfCall>,
    now: String,
    /// Where the clocks stand when more is asked than was recorded: they go on by themselves, always alike.
    wall_ms: u64,
    monotonic_ms: u64,
}

impl Timeline {
    /// Of no recording: the clocks begin here.
    pub(crate) fn beginning_at(wall_ms: u64) -> Self {
        Self { wall_ms, ..Self::default() }
    }

    pub(crate) fn add(&mut self, line: Line) {
        if let Line::Call(call) = line {
            self.now = call;
            return;
        }
        let of_call = self.calls.entry(self.now.clone()).or_default();
        match line {
            Line::WallMs(ms, times) => of_call.wall.0.push_back((ms, times)),
            Line::MonotonicMs(ms, times) => of_call.monotonic.0.push_back((ms, times)),
            Line::Ready(ready, times) => of_call.ready.0.push_back((ready, times)),
            Line::Seed(_) | Line::Call(_) => {}
        }
    }

    pub(crate) fn begin_call(&mut self, call: &str) {
        call.clone_into(&mut self.now);
    }

    fn of_call(&mut self) -> Option<&mut OfCall> {
        self.calls.get_mut(&self.now)
    }

    pub(crate) fn wall_ms(&mut self) -> u64 {
        let read = self.of_call().and_then(|of_call| of_call.wall.next());
        self.wall_ms = read.unwrap_or(self.wall_ms + 1);
        self.wall_ms
    }

    pub(crate) fn monotonic_ms(&mut self) -> u64 {
        let read = self.of_call().and_then(|of_call| of_call.monotonic.next());
        // It never falls, also where calls come in another order than they did.
        self.monotonic_ms = read.unwrap_or(self.monotonic_ms + 1).max(self.monotonic_ms);
        self.monotonic_ms
    }

    pub(crate) fn ready(&mut self) -> Option<Ready> {
        self.of_call().and_then(|of_call| of_call.ready.next())
    }

    /// A sleep that took no time.
    pub(crate) fn slept(&mut self, ms: u64) {
        // Where readings are left they know of the sleep.
        if self.of_call().is_none_or(|of_call| of_call.wall.0.is_empty()) {
            self.wall_ms = self.wall_ms.saturating_add(ms);
        }
        if self.of_call().is_none_or(|of_call| of_call.monotonic.0.is_empty()) {
            self.monotonic_ms = self.monotonic_ms.saturating_add(ms);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, Timeline};

    fn timeline(lines: &[Line]) -> Timeline {
        let mut timeline = Timeline::beginning_at(1_000);
        lines.iter().for_each(|line| timeline.add(line.clone()));
        timeline
    }

    #[test]
    fn readings_come_again_in_their_order_and_then_go_on_by_themselves() {
        let lines = [Line::Call("next".into()), Line::WallMs(5_000, 2), Line::WallMs(5_007, 1)];
        let mut timeline = timeline(&lines);
        timeline.begin_call("next");
        let read: Vec<u64> = (0..5).map(|_| timeline.wall_ms()).collect();
        assert_eq!(read, [5_000, 5_000, 5_007, 5_008, 5_009]);
        timeline.slept(500);
        assert_eq!(timeline.wall_ms(), 5_510);
    }

    #[test]
    fn a_sleep_of_which_readings_know_moves_nothing_twice() {
        let mut timeline =
            timeline(&[Line::Call("next".into()), Line::MonotonicMs(3, 1), Line::MonotonicMs(203, 1)]);
        timeline.begin_call("next");
        assert_eq!(timeline.monotonic_ms(), 3);
        timeline.slept(300);
        assert_eq!(timeline.monotonic_ms(), 203, "it is what was read then, whatever was slept");
        timeline.slept(300);
        assert_eq!(timeline.monotonic_ms(), 504, "nothing knows of this one");
    }

    #[test]
    fn a_sleep_of_one_call_of_which_its_readings_know_is_none_of_another() {
        let mut timeline = timeline(&[Line::Call("next".into()), Line::WallMs(5_000, 2)]);
        timeline.begin_call("next");
        assert_eq!(timeline.wall_ms(), 5_000);
        timeline.slept(300);
        timeline.begin_call("committed");
        assert_eq!(timeline.wall_ms(), 5_001);
    }

    #[test]
    fn the_other_clock_never_falls_in_whatever_order_calls_come() {
        let lines = [
            Line::Call("next".into()),
            Line::MonotonicMs(5, 1),
            Line::Call("committed".into()),
            Line::MonotonicMs(9, 1),
        ];
        let mut timeline = timeline(&lines);
        let mut read = |call: &str| {
            timeline.begin_call(call);
            timeline.monotonic_ms()
        };
        assert_eq!([read("committed"), read("next"), read("next")], [9, 9, 10]);
    }

    #[test]
    fn each_call_has_its_own_readings_in_whatever_order_they_come() {
        let lines = [
            Line::Call("next".into()),
            Line::WallMs(1, 1),
            Line::Call("committed".into()),
            Line::WallMs(2, 1),
            Line::Call("next".into()),
            Line::WallMs(3, 1),
            Line::Ready(vec![1], 1),
        ];
        let mut timeline = timeline(&lines);
        let mut read = |call: &str| {
            timeline.begin_call(call);
            timeline.wall_ms()
        };
        assert_eq!([read("committed"), read("next"), read("next")], [2, 1, 3]);
        assert_eq!(timeline.ready(), Some(vec![1]));
        assert_eq!(timeline.ready(), None);
    }

    #[test]
    fn time_that_was_never_recorded_begins_with_the_recording() {
        let mut timeline = timeline(&[]);
        timeline.begin_call("next");
        assert_eq!([timeline.wall_ms(), timeline.wall_ms()], [1_001, 1_002]);
        assert_eq!([timeline.monotonic_ms(), timeline.monotonic_ms()], [1, 2]);
    }
}
