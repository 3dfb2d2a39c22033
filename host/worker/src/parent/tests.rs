//! A worker that was taken over (H60): whatever it says, the call that was under way fails as one that time may heal, and the
//! parent goes on. The worker here is a socket on which a test says what it likes.

mod fake;
mod programs;
mod said;

use pipeline::failure::{Cause, Failure};
use proptest::prelude::*;

use self::fake::{DIGEST, Fake, LATE};
use crate::frame::{FRAME_BYTES_MAX, encoded};
use crate::message::{Brought, ToParent};

fn lost(failure: &Failure) -> &str {
    assert_eq!(failure.code(), "CD1401", "{failure}");
    match &failure.cause {
        Cause::WorkerLost(why) => why,
        other => panic!("{other}"),
    }
}

fn reply(call: u64, brought: Brought) -> ToParent {
    ToParent::Reply { call, outcome: Box::new(Ok(brought)), used: Vec::new() }
}

#[tokio::test]
async fn what_a_worker_answers_reaches_whoever_asked() {
    let fake = Fake::new().await;
    let (first, second) = (fake.check(), fake.check());
    let calls = [fake.hears_call().await, fake.hears_call().await];
    // In the other order: answers are told apart by their numbers.
    fake.says(&reply(calls[1], Brought::Nothing)).await;
    fake.says(&reply(calls[0], Brought::Nothing)).await;
    first.await.unwrap().unwrap();
    second.await.unwrap().unwrap();
    assert!(!fake.is_lost());
}

#[tokio::test]
async fn a_call_that_is_abandoned_may_still_be_answered_once() {
    let fake = Fake::new().await;
    let asked = fake.check();
    let call = fake.hears_call().await;
    asked.abort();
    fake.hears_abandoned(call).await;
    fake.says(&reply(call, Brought::Nothing)).await;
    let another = fake.check();
    let next = fake.hears_call().await;
    fake.says(&reply(next, Brought::Nothing)).await;
    another.await.unwrap().unwrap();
    let another = fake.check();
    fake.hears_call().await;
    fake.says(&reply(call, Brought::Nothing)).await;
    let failure = another.await.unwrap().unwrap_err();
    assert!(lost(&failure).contains("which was not asked"), "{failure}");
}

#[tokio::test]
async fn what_no_worker_says_ends_it_and_nothing_else() {
    for (what, frames, expected) in said::cases() {
        let fake = Fake::new().await;
        let asked = fake.check();
        fake.hears_call().await;
        for frame in frames {
            fake.sends(&frame).await;
        }
        let failure = asked.await.unwrap().unwrap_err();
        assert!(lost(&failure).contains(expected), "{what}: {failure}");
        assert!(fake.is_lost(), "{what}");
        assert_eq!(fake.suspects(), [DIGEST], "{what}: who was being called is known");
        let after = fake.check().await.unwrap().unwrap_err();
        assert!(lost(&after).contains(expected), "{what}: nobody waits for one that is lost: {after}");
    }
}

#[tokio::test]
async fn one_that_closes_its_half_is_lost() {
    let fake = Fake::new().await;
    let asked = fake.check();
    fake.hears_call().await;
    fake.closes_half().await;
    let failure = asked.await.unwrap().unwrap_err();
    assert!(lost(&failure).contains("it closed its socket"), "{failure}");
}

#[tokio::test]
async fn one_that_does_not_answer_is_lost_in_time() {
    let fake = Fake::new().await;
    let began = std::time::Instant::now();
    let failure = fake.check().await.unwrap().unwrap_err();
    assert!(lost(&failure).contains("it did not answer `source.check`"), "{failure}");
    assert!(began.elapsed() >= LATE, "{failure}");
}

/// Where nobody reads, what is sent piles up as long as calls are made, and no call waits longer than for an answer.
#[tokio::test]
async fn one_that_reads_nothing_is_lost_in_time() {
    let fake = Fake::new().await;
    let asked: Vec<_> = (0..64).map(|_| fake.gives(vec![7; 1 << 20])).collect();
    for one in asked {
        let failure = one.await.unwrap().unwrap_err();
        assert!(lost(&failure).contains("it did not answer"), "{failure}");
    }
}

#[tokio::test]
async fn one_that_is_no_worker_is_told_of_before_it_is_used() {
    for (first, expected) in said::beginnings() {
        let error = Fake::beginning(&first).await.err().unwrap();
        assert_eq!(error.code(), "CD1403");
        assert!(error.to_string().contains(expected), "{error}");
    }
}

fn head(bytes: usize) -> Vec<u8> {
    u32::try_from(bytes).unwrap().to_le_bytes().to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Bytes of any kind, as one frame or as what they say themselves.
    #[test]
    fn no_bytes_bring_the_parent_down(bytes in proptest::collection::vec(any::<u8>(), 0..200), framed in any::<bool>()) {
        let threads = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        threads.block_on(async {
            let fake = Fake::new().await;
            let asked = fake.check();
            let call = fake.hears_call().await;
            let sent = if framed { [head(bytes.len()), bytes].concat() } else { bytes };
            fake.sends(&sent).await;
            // Behind it, the end: whatever it was, the call has one too.
            let _ = fake.tries(&encoded(&reply(call, Brought::Nothing)).unwrap()).await;
            fake.closes_half().await;
            let outcome = asked.await.unwrap();
            prop_assert!(outcome.is_ok() || outcome.is_err_and(|failure| failure.code() == "CD1401" || failure.code() == "CD0611"));
            Ok(())
        })?;
    }
}

#[test]
fn the_cap_leaves_room_for_the_largest_page() {
    let largest = runtime::Limits::ceilings();
    let page = largest.page_bytes + largest.checkpoint_bytes;
    assert!(page * 3 / 2 < FRAME_BYTES_MAX as u64, "{page}");
}
