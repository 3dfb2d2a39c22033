//! A request that comes again is answered again, and done once.

use super::world::{DAY_MS, World};
use crate::{Answer, Answers, Asked, Begun};

const ASKED: Asked<'static> = Asked { caller: "usr_a", key: "7", digest: [1; 32] };

fn answer() -> Answer {
    Answer { status: 201, headers: vec![("etag".into(), "x".into())], body: Some("{}".into()) }
}

#[tokio::test]
async fn a_request_is_begun_once_and_answered_as_often_as_it_comes() {
    let world = World::new();
    let answers = Answers::new(&world.users().await).unwrap();
    assert_eq!(answers.begin(ASKED).await.unwrap(), Begun::New);
    assert_eq!(answers.begin(ASKED).await.unwrap(), Begun::UnderWay);
    answers.finish(ASKED, answer()).await.unwrap();
    assert_eq!(answers.begin(ASKED).await.unwrap(), Begun::Again(answer()));
    assert_eq!(answers.begin(Asked { digest: [2; 32], ..ASKED }).await.unwrap(), Begun::Other);
    assert_eq!(answers.begin(Asked { caller: "usr_b", ..ASKED }).await.unwrap(), Begun::New);
    // What is taken from the one is not given to the other.
    assert_eq!(answers.begin(Asked { caller: "usr_a7", key: "", ..ASKED }).await.unwrap(), Begun::New);
    world.clock.pass(DAY_MS);
    assert_eq!(answers.begin(ASKED).await.unwrap(), Begun::New);
}

#[tokio::test]
async fn what_was_given_up_may_come_again() {
    let world = World::new();
    let answers = Answers::new(&world.users().await).unwrap();
    assert_eq!(answers.begin(ASKED).await.unwrap(), Begun::New);
    answers.give_up(ASKED).await.unwrap();
    assert_eq!(answers.begin(ASKED).await.unwrap(), Begun::New);
}

#[tokio::test]
async fn of_what_a_process_began_that_has_ended_nobody_says_that_it_was_not_done() {
    let world = World::new();
    let users = world.users().await;
    let before = Answers::new(&users).unwrap();
    assert_eq!(before.begin(ASKED).await.unwrap(), Begun::New);
    let after = Answers::new(&users).unwrap();
    assert_eq!(after.begin(ASKED).await.unwrap(), Begun::Unknown);
    before.finish(ASKED, answer()).await.unwrap();
    assert_eq!(after.begin(ASKED).await.unwrap(), Begun::Again(answer()));
}

#[tokio::test]
async fn of_many_at_once_one_begins() {
    let world = World::new();
    let answers = Answers::new(&world.users().await).unwrap();
    let all = futures::future::join_all((0..20).map(|_| answers.begin(ASKED))).await;
    let new = all.into_iter().filter(|begun| *begun.as_ref().unwrap() == Begun::New).count();
    assert_eq!(new, 1);
}
