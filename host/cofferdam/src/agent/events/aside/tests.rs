use super::{Giving, Rows, TRIES};
use async_trait::async_trait;
use control::EventMessage;
use pipeline::failure::{Cause, Failure, GuestError};
use pipeline::model::{Page, RejectedRow};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

fn failed(cause: Cause) -> Failure {
    let (connector, call) = ("hook".into(), "webhook.rows".into());
    Failure { cause, connector, call, log_tail: Vec::new(), denials: Vec::new() }
}

fn bug() -> Cause {
    Cause::Guest(GuestError::Bug("it is wrong".into()))
}

fn transient() -> Cause {
    Cause::Guest(GuestError::Transient { message: "it is away".into(), retry_after_ms: None })
}

fn limit(name: &str) -> Cause {
    Cause::Limit { name: name.into(), allowed: "1".into(), message: "more".into() }
}

fn waiting(from: u64, count: u64) -> Vec<EventMessage> {
    let message = |sequence: u64| EventMessage {
        sequence,
        received_ms: 0,
        headers: Vec::new(),
        body: sequence.to_string().into(),
    };
    (from..from + count).map(message).collect()
}

/// What became of messages, in their order.
#[derive(Debug, Default)]
struct Moved {
    rows: Vec<u64>,
    aside: Vec<(u64, String)>,
    calls: usize,
}

/// A connector that fails on what it gets as told.
struct Failing<F> {
    fails: F,
    calls: AtomicUsize,
}

#[async_trait]
impl<F: Fn(&[u64]) -> Option<Cause> + Sync> Rows for Failing<F> {
    async fn rows(&self, messages: &[EventMessage]) -> Result<Page, Failure> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let numbers: Vec<u64> = messages.iter().map(|message| message.sequence).collect();
        if let Some(cause) = (self.fails)(&numbers) {
            return Err(failed(cause));
        }
        let checkpoint = numbers.last().map(u64::to_string);
        Ok(Page { batches: Vec::new(), rejects: Vec::new(), checkpoint, transaction_end: false })
    }
}

/// Reads so many messages to their end, with a connector that fails on what it gets as told.
async fn moved(
    count: u64,
    is_last: bool,
    fails: impl Fn(&[u64]) -> Option<Cause> + Sync,
) -> (Moved, Option<Failure>) {
    let connector = Failing { fails, calls: AtomicUsize::new(0) };
    let (mut giving, mut moved, mut after) = (Giving::new(is_last), Moved::default(), 0);
    while after < count {
        let messages = waiting(after + 1, count - after);
        let page = match giving.page(&messages, "paid", &connector).await {
            Ok(page) => page,
            Err(failure) => {
                moved.calls = connector.calls.into_inner();
                return (moved, Some(failure));
            }
        };
        let up_to: u64 = page.checkpoint.unwrap().parse().unwrap();
        if let Some(reject) = page.rejects.first() {
            let sequence = after + 1;
            assert_eq!(
                (up_to, reject.stream.as_str(), reject.code.as_str()),
                (sequence, "paid", "message_failed")
            );
            assert_eq!(reject.row, RejectedRow::Raw(sequence.to_string().into()));
            moved.aside.push((sequence, reject.message.clone()));
        } else {
            moved.rows.extend(after + 1..=up_to);
        }
        after = up_to;
    }
    moved.calls = connector.calls.into_inner();
    (moved, None)
}

#[tokio::test]
async fn messages_on_which_a_connector_fails_are_set_aside_and_the_others_go_on_in_their_order() {
    for cause in [bug(), limit("memory_bytes"), limit("page_rows"), Cause::Contract("no such stream".into())]
    {
        let bad = [1, 7, 8, 700, 1_000];
        let fails =
            |numbers: &[u64]| numbers.iter().any(|number| bad.contains(number)).then(|| cause.clone());
        let (moved, failure) = moved(1_000, false, fails).await;
        assert!(failure.is_none(), "{failure:?}");
        assert_eq!(moved.aside.iter().map(|(number, _)| *number).collect::<Vec<_>>(), bad);
        let expected: Vec<u64> = (1..=1_000).filter(|number| !bad.contains(number)).collect();
        assert_eq!(moved.rows, expected);
    }
}

#[tokio::test]
async fn a_message_is_tried_more_than_once_and_the_reason_stands_by_it() {
    let tried = AtomicU32::new(0);
    let fails = |numbers: &[u64]| {
        let is_bad = numbers.contains(&3);
        tried.fetch_add(u32::from(is_bad && numbers.len() == 1), Ordering::Relaxed);
        is_bad.then(bug)
    };
    let (found, _) = moved(8, false, fails).await;
    assert_eq!((tried.load(Ordering::Relaxed), found.aside.len()), (TRIES, 1));
    assert_eq!(found.aside[0].1, "message 3 failed 3 times (CD0607): reports a bug of its own: it is wrong");
    // What fails but once is no reason.
    let left = AtomicU32::new(1);
    let fails = |numbers: &[u64]| (numbers == [1] && left.swap(0, Ordering::Relaxed) > 0).then(bug);
    let (found, _) = moved(1, false, fails).await;
    assert_eq!((found.rows, found.aside.len()), (vec![1], 0));
}

#[tokio::test]
async fn a_bad_message_makes_few_calls_and_the_next_ones_come_together_again() {
    let fails = |numbers: &[u64]| numbers.contains(&500).then(bug);
    let (moved, _) = moved(1_000, false, fails).await;
    // Halved about ten times before it and doubled about ten times behind it.
    assert!(moved.calls < 45, "{}", moved.calls);
}

#[tokio::test]
async fn rows_that_are_too_many_for_a_page_stay_apart() {
    let fails = |numbers: &[u64]| (numbers.len() > 100).then(|| limit("page_bytes"));
    let (moved, _) = moved(1_000, false, fails).await;
    assert_eq!((moved.rows.len(), moved.aside.len()), (1_000, 0));
    // 1,000, 500, 250, 125, and then sixteen pages of 62.
    assert!(moved.calls <= 4 + 17, "{}", moved.calls);
}

#[tokio::test]
async fn what_no_message_brings_about_sets_none_aside() {
    let unauthorized = Cause::Guest(GuestError::Unauthorized("no".into()));
    for cause in [unauthorized, Cause::WorkerLost("gone".into()), Cause::Host("a bug".into()), Cause::Stopped]
    {
        for is_last in [false, true] {
            let (moved, failure) = moved(10, is_last, |_| Some(cause.clone())).await;
            assert_eq!((moved.calls, failure.map(|failure| failure.cause)), (1, Some(cause.clone())));
        }
    }
}

#[tokio::test]
async fn what_may_pass_is_waited_for_and_then_held_against_the_message_behind() {
    let third = |numbers: &[u64]| numbers.contains(&3).then(transient);
    let (early, failure) = moved(10, false, third).await;
    assert!(failure.is_some() && early.rows.is_empty(), "{early:?}");
    let (late, failure) = moved(10, true, third).await;
    assert!(failure.is_none() && late.aside.len() == 1, "{late:?}");
    assert_eq!(late.rows, [1, 2, 4, 5, 6, 7, 8, 9, 10]);
    // All of them: it is not the message.
    let (away, failure) = moved(10, true, |_| Some(transient())).await;
    assert!(failure.is_some() && away.aside.is_empty(), "{away:?}");
    // It holds up nobody.
    let (alone, failure) = moved(3, true, third).await;
    assert!(failure.is_some() && alone.aside.is_empty() && alone.rows == [1, 2], "{alone:?}");
}
