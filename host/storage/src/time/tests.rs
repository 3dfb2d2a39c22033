use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{DOUBT_MS, HOUR_MS, Mark, STEP_MS_MAX, Time};
use crate::clock::Clock;

const DAY_MS: u64 = 24 * HOUR_MS;
const START_MS: u64 = 20_000 * DAY_MS;

#[derive(Default)]
struct Hands(AtomicU64);

impl Clock for Hands {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

fn started() -> (Arc<Hands>, Time) {
    let hands = Arc::new(Hands(START_MS.into()));
    let time = Time::new(hands.clone(), None);
    (hands, time)
}

fn set(hands: &Hands, ms: u64) {
    hands.0.store(ms, Ordering::Relaxed);
}

#[test]
fn time_does_not_go_back_with_its_clock() {
    let (hands, time) = started();
    set(&hands, START_MS + HOUR_MS);
    assert_eq!(time.now_ms(), START_MS + HOUR_MS);
    set(&hands, START_MS - 45 * DAY_MS);
    assert!(!time.judge());
    assert_eq!((time.now_ms(), time.believed_ms()), (START_MS + HOUR_MS, START_MS + HOUR_MS));
}

#[test]
fn a_leap_is_read_by_at_once_and_believed_after_five_minutes() {
    let (hands, time) = started();
    set(&hands, START_MS + 45 * DAY_MS);
    assert_eq!((time.now_ms(), time.believed_ms()), (START_MS + 45 * DAY_MS, START_MS));
    assert!(time.judge());
    set(&hands, START_MS + 45 * DAY_MS + DOUBT_MS - 1);
    assert!(time.judge());
    assert_eq!(time.believed_ms(), START_MS);
    set(&hands, START_MS + 45 * DAY_MS + DOUBT_MS);
    assert!(!time.judge());
    assert_eq!(time.believed_ms(), START_MS + 45 * DAY_MS + DOUBT_MS);
}

#[test]
fn a_clock_that_is_put_right_has_ended_nothing() {
    let (hands, time) = started();
    set(&hands, START_MS + 45 * DAY_MS);
    assert!(time.judge());
    set(&hands, START_MS + 2 * DOUBT_MS);
    assert!(!time.judge());
    assert_eq!((time.now_ms(), time.believed_ms()), (START_MS + 2 * DOUBT_MS, START_MS + 2 * DOUBT_MS));
    // The next leap is a doubt of its own, however long ago the first one was.
    set(&hands, START_MS + 60 * DAY_MS);
    assert!(time.judge());
    assert_eq!(time.believed_ms(), START_MS + 2 * DOUBT_MS);
}

#[test]
fn a_clock_that_leaps_twice_is_believed_as_far_as_it_has_lasted() {
    let (hands, time) = started();
    set(&hands, START_MS + 7 * DAY_MS);
    assert!(time.judge());
    let again = Time::new(hands.clone(), Some(time.mark()));
    set(&hands, START_MS + 14 * DAY_MS);
    assert!(again.judge());
    assert_eq!(again.believed_ms(), START_MS + 7 * DAY_MS);
    assert_eq!(again.mark().doubted_ms, START_MS + 14 * DAY_MS);
}

#[test]
fn steps_of_a_day_are_no_leaps() {
    let (hands, time) = started();
    set(&hands, START_MS + STEP_MS_MAX);
    assert!(!time.judge());
    assert_eq!(time.believed_ms(), START_MS + STEP_MS_MAX);
    set(&hands, START_MS + 2 * STEP_MS_MAX + 1);
    assert!(time.judge());
}

#[test]
fn the_mark_is_due_when_it_is_new_and_with_each_full_hour() {
    let (hands, time) = started();
    let mark = time.due().unwrap();
    time.set_kept(mark);
    assert_eq!(time.due(), None);
    set(&hands, START_MS + HOUR_MS - 1);
    time.now_ms();
    assert_eq!(time.due(), None);
    set(&hands, START_MS + HOUR_MS);
    time.now_ms();
    assert_eq!(time.due(), Some(Mark { believed_ms: START_MS + HOUR_MS, doubted_ms: 0 }));
    assert_eq!(Mark::decode(&mark.encode()), Some(mark));
}
