use std::sync::Arc;

use bytes::Bytes;
use futures::stream;
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt, StreamBody};

use super::{Kept, Room};
use crate::{Body, Error, Limit, body};

/// A body of these parts, whose length nobody knows.
fn parts(parts: &[&'static str]) -> Body {
    let frames: Vec<Result<Frame<Bytes>, Error>> =
        parts.iter().map(|part| Ok(Frame::data(Bytes::from_static(part.as_bytes())))).collect();
    StreamBody::new(stream::iter(frames)).boxed_unsync()
}

/// With room for more.
fn keep(rest: Body, bytes_max: u64) -> Kept {
    Kept::new(rest, bytes_max, Room::of_client(1 << 30, Room::of_process(1 << 30)))
}

async fn read(body: Body) -> Result<Bytes, Error> {
    Ok(body.collect().await?.to_bytes())
}

#[tokio::test]
async fn a_small_body_is_read_as_often_as_it_is_wanted() {
    let kept = keep(parts(&["one ", "two ", "three"]), 13);
    for _attempt in 0..3 {
        assert_eq!(read(kept.again().unwrap()).await.unwrap(), "one two three");
    }
    assert_eq!(kept.over(), None);
}

#[tokio::test]
async fn an_attempt_that_stopped_half_way_is_followed_by_a_whole_one() {
    let kept = keep(parts(&["one ", "two ", "three"]), 100);
    let mut first = kept.again().unwrap();
    assert_eq!(first.frame().await.unwrap().unwrap().into_data().unwrap(), "one ");
    let second = kept.again().unwrap();
    assert!(first.frame().await.unwrap().is_err(), "an earlier attempt took a part from the later one");
    assert_eq!(read(second).await.unwrap(), "one two three");
}

#[tokio::test]
async fn a_body_above_the_limit_is_sent_once_whole_and_never_again() {
    let kept = keep(parts(&["one ", "two ", "three", " four"]), 10);
    let first = kept.again().unwrap();
    assert_eq!(read(first).await.unwrap(), "one two three four");
    assert_eq!(kept.over(), Some(Limit::KeptBodyBytes));
    assert_eq!(kept.again().err(), Some(Limit::KeptBodyBytes));
}

#[tokio::test]
async fn a_body_is_read_before_it_is_sent_where_it_fits() {
    let kept = keep(parts(&["one ", "two"]), 7);
    let whole = kept.fill().await.unwrap().unwrap();
    assert_eq!(whole.parts.concat(), b"one two");
    assert_eq!(whole.sha256_hex(), "8ab63e29a4ba14e4e1688f9c15e5af90895421358c945b0431f85d66977bd3d2");
    assert_eq!(read(kept.again().unwrap()).await.unwrap(), "one two");
    assert!(keep(parts(&["one ", "two"]), 6).fill().await.unwrap().is_err());
}

/// A guest that writes byte by byte, and nothing in between, as often as it likes.
#[tokio::test]
async fn small_and_empty_parts_take_no_more_memory_than_their_bytes() {
    const BYTES: usize = 100_000;
    let one = |number: usize| [Bytes::from(vec![u8::try_from(number % 251).unwrap()]), Bytes::new()];
    let frames = (0..BYTES).flat_map(one).map(|part| Ok(Frame::data(part)));
    let kept = keep(StreamBody::new(stream::iter(frames)).boxed_unsync(), BYTES as u64);
    let mut first = kept.again().unwrap();
    for _part in 0..BYTES {
        first.frame().await.unwrap().unwrap();
    }
    let expected: Vec<u8> = (0..BYTES).map(|number| u8::try_from(number % 251).unwrap()).collect();
    for _attempt in 0..2 {
        assert!(read(kept.again().unwrap()).await.unwrap() == expected);
    }
    let parts = kept.fill().await.unwrap().unwrap().parts;
    assert!(parts.concat() == expected);
    assert!(parts.len() <= BYTES / super::PART_BYTES + 1, "{} parts are kept", parts.len());
}

/// Large parts are kept as they are, and stay in their order among small ones.
#[tokio::test]
async fn parts_of_all_sizes_keep_their_order() {
    let sizes = [1, super::PART_BYTES, 3, 0, super::PART_BYTES - 1, 2 * super::PART_BYTES, 5];
    let part = |(number, size): (u8, usize)| Bytes::from(vec![number; size]);
    let all: Vec<Bytes> = (0..).zip(sizes).map(part).collect();
    let expected = all.concat();
    let frames: Vec<Result<Frame<Bytes>, Error>> =
        all.into_iter().map(|part| Ok(Frame::data(part))).collect();
    let kept = keep(StreamBody::new(stream::iter(frames)).boxed_unsync(), expected.len() as u64);
    for stopped_after in 0..sizes.len() {
        let mut attempt = kept.again().unwrap();
        for _part in 0..stopped_after {
            // Parts that were put together are fewer.
            let _part = attempt.frame().await.transpose().unwrap();
        }
        assert!(read(kept.again().unwrap()).await.unwrap() == expected, "stopped after {stopped_after}");
    }
}

#[tokio::test]
async fn an_empty_body_has_ended_and_a_broken_one_says_why() {
    let kept = keep(body::empty(), 10);
    assert!(kept.again().unwrap().is_end_stream());
    assert!(kept.fill().await.unwrap().unwrap().parts.is_empty());
    let broken = stream::iter([Err(Error::RequestBody { problem: "the caller's".to_owned() })]);
    let kept = keep(StreamBody::new(broken).boxed_unsync(), 10);
    let error = read(kept.again().unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("the caller's"), "{error}");
    assert!(kept.again().is_err(), "what was read of it is not the whole");
}

#[tokio::test]
async fn bodies_that_are_kept_share_their_room_and_give_it_back() {
    let room = Room::of_client(10, Room::of_process(100));
    let kept = |bytes_max| Kept::new(parts(&["one ", "two"]), bytes_max, Arc::clone(&room));
    let first = kept(7);
    assert_eq!(first.fill().await.unwrap().unwrap().parts.concat(), b"one two");
    let second = kept(7);
    assert_eq!(second.fill().await.unwrap().err(), Some(Limit::KeptBodiesBytes), "seven of ten are taken");
    let third = kept(7);
    assert_eq!(read(third.again().unwrap()).await.unwrap(), "one two", "it is sent although it is not kept");
    assert_eq!(third.over(), Some(Limit::KeptBodiesBytes));
    let too_large = kept(6);
    assert_eq!(read(too_large.again().unwrap()).await.unwrap(), "one two");
    assert!(room.has(3) && !room.has(4), "what was let go takes nothing");
    drop(first);
    assert!(room.has(10) && kept(7).fill().await.unwrap().is_ok());
}

#[tokio::test]
async fn bodies_of_all_clients_share_the_room_of_the_process_and_a_client_gets_no_less_of_its_own_for_it() {
    let process = Room::of_process(10);
    let (one, other) = (Room::of_client(8, Arc::clone(&process)), Room::of_client(8, Arc::clone(&process)));
    let kept = |room: &Arc<Room>| Kept::new(parts(&["one ", "two"]), 7, Arc::clone(room));
    let first = kept(&one);
    assert!(first.fill().await.unwrap().is_ok());
    let second = kept(&other);
    assert_eq!(second.fill().await.unwrap().err(), Some(Limit::AllKeptBodiesBytes));
    assert_eq!(kept(&one).fill().await.unwrap().err(), Some(Limit::KeptBodiesBytes), "its own limit is told");
    assert!(other.has(3) && !other.has(4), "seven of ten are taken, by the other");
    drop((first, second));
    // What was refused by the process was not taken from the client either.
    assert!(other.has(8) && !other.has(9) && process.has(10));
    assert_eq!(
        [other.allowed(Limit::KeptBodiesBytes), other.allowed(Limit::AllKeptBodiesBytes)],
        [Some(8), Some(10)]
    );
}
