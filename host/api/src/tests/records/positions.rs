//! Where a sync goes on.

use crate::tests::asked::Reply;
use crate::tests::kept::Kept;
use crate::tests::world::World;
use control::Act;
use pipeline::records::RunRecords;
use serde_json::{Value, json};

async fn edit(world: &World, kept: &Kept, by: &str, tag: Option<&str>, position: &str) -> Reply {
    let body = json!({"position": position, "confirm": kept.sync});
    let asking = world.ask("PUT", &kept.at("/checkpoints/groups/orders")).by(by).json(&body);
    match tag {
        Some(tag) => asking.header("if-match", tag).await,
        None => asking.await,
    }
}

#[tokio::test]
async fn a_position_is_seen_edited_and_reset_and_the_history_says_so() {
    let world = World::new().await;
    let cast = world.cast().await;
    let kept = world.sync_that_ran(&cast).await;
    let listed = world.get(&kept.at("/checkpoints")).by(&cast.user).await.json();
    assert_eq!(listed["items"][0]["position"], "\"at 1\"");
    assert_eq!(listed["items"][0]["streams"]["orders"]["read"], 6);
    let one = world.get(&kept.at("/checkpoints/groups/orders")).by(&cast.user).await;
    assert_eq!(one.json(), listed["items"][0]);
    let tag = one.header("etag").unwrap().to_owned();
    assert_eq!(edit(&world, &kept, &cast.user, None, "1").await.refusal(), (428, "CD1321".into()));
    assert_eq!(edit(&world, &kept, &cast.user, Some("\"x\""), "1").await.refusal(), (412, "CD1322".into()));
    let bad = edit(&world, &kept, &cast.user, Some(&tag), "{").await;
    assert_eq!(bad.refusal(), (422, "CD1055".into()));
    let done = edit(&world, &kept, &cast.user, Some(&tag), r#"{"at":5}"#).await;
    assert_eq!((done.status(), done.text("/position")), (200, r#"{"at":5}"#.to_owned()));
    assert_eq!(edit(&world, &kept, &cast.user, Some(&tag), "1").await.refusal(), (412, "CD1322".into()));
    edit(&world, &kept, &cast.user, done.header("etag"), "7").await.text("/position");
    let reset = async |body: Value| world.post(&kept.at("/checkpoints/reset"), body).by(&cast.user).await;
    let confirm = &kept.sync;
    for body in [
        json!({"confirm": confirm}),
        json!({"confirm": confirm, "all": true, "stream": "orders"}),
        json!({"confirm": "x", "all": true}),
        json!({"all": true}),
    ] {
        assert_eq!(reset(body).await.refusal(), (400, "CD1311".into()));
    }
    for body in [json!({"confirm": confirm, "stream": "x"}), json!({"confirm": confirm, "group": "x"})] {
        assert_eq!(reset(body).await.refusal(), (404, "CD1253".into()));
    }
    for body in [
        json!({"confirm": confirm, "stream": "orders"}),
        json!({"confirm": confirm, "group": "orders"}),
        json!({"confirm": confirm, "all": true}),
    ] {
        assert_eq!(reset(body).await.json(), json!({"reset": ["orders"]}));
    }
    let gone = world.get(&kept.at("/checkpoints/groups/orders")).by(&cast.user).await;
    assert_eq!(gone.json()["position"], Value::Null);
    let (mut kinds, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = world.get(&kept.at(&format!("/checkpoints/changes{query}"))).by(&cast.user).await.json();
        kinds.extend(
            page["items"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?limit=2&cursor={next}");
    }
    kinds.sort();
    assert_eq!(kinds, ["edited", "edited", "reset", "reset", "reset"]);
    assert_eq!(kept.acts(&world, Act::PositionEdited).await, 2);
    assert_eq!(kept.acts(&world, Act::PositionsReset).await, 3);
}

#[tokio::test]
async fn a_position_may_be_as_long_as_the_contract_says() {
    let world = World::new().await;
    let cast = world.cast().await;
    let kept = world.sync_that_ran(&cast).await;
    let path = kept.at("/checkpoints/groups/orders");
    let tag = async || world.get(&path).by(&cast.user).await.header("etag").unwrap().to_owned();
    // Every second byte is one that takes two in the body.
    let of = |bytes: usize| format!("\"{}\"", "a\\\\ ".repeat(bytes / 4));
    let long = of((4 << 20) - 4);
    assert!(long.len() <= 4 << 20 && long.len() > (4 << 20) - 8);
    let done = edit(&world, &kept, &cast.user, Some(&tag().await), &long).await;
    assert_eq!((done.status(), done.text("/position") == long), (200, true));
    let listed = world.get(&kept.at("/checkpoints")).by(&cast.user).await.json();
    assert_eq!(listed["items"][0]["position_bytes"], long.len(), "lists have no long ones");
    let too_long = edit(&world, &kept, &cast.user, Some(&tag().await), &of(4 << 20)).await;
    assert_eq!(too_long.refusal(), (422, "CD1055".into()));
    let far_too_long = edit(&world, &kept, &cast.user, Some(&tag().await), &of(16 << 20)).await;
    assert_eq!(far_too_long.refusal(), (413, "CD1312".into()));
    assert!(world.get(&path).by(&cast.user).await.text("/position") == long, "nothing was changed");
    // Who may not set it sends nothing.
    let foreign = edit(&world, &kept, &cast.eve, Some("\"x\""), &of(16 << 20)).await;
    assert_eq!(foreign.refusal(), (404, "CD1240".into()));
}

#[tokio::test]
async fn of_many_who_have_seen_the_same_position_one_edits_it() {
    let world = World::new().await;
    let cast = world.cast().await;
    let kept = world.sync_that_ran(&cast).await;
    let tag = world.get(&kept.at("/checkpoints/groups/orders")).by(&cast.user).await;
    let tag = tag.header("etag").unwrap().to_owned();
    let asked = (0..10).map(async |n| edit(&world, &kept, &cast.user, Some(&tag), &n.to_string()).await);
    let done = futures::future::join_all(asked).await;
    let count = |status| done.iter().filter(|reply| reply.status() == status).count();
    // Others learn that it has moved, or that somebody is at it in this moment.
    assert_eq!((count(200), count(412) + count(409)), (1, 9));
}

#[tokio::test]
async fn nobody_changes_the_positions_of_a_sync_that_runs() {
    let world = World::new().await;
    let cast = world.cast().await;
    let kept = world.sync_that_ran(&cast).await;
    let tag = world.get(&kept.at("/checkpoints/groups/orders")).by(&cast.user).await;
    let ticket = kept.records.begin(&kept.sync).await.unwrap();
    let edited = edit(&world, &kept, &cast.user, tag.header("etag"), "1").await;
    assert_eq!(edited.refusal(), (409, "CD1051".into()));
    let reset = json!({"confirm": kept.sync, "all": true});
    let reset = || world.post(&kept.at("/checkpoints/reset"), reset.clone()).by(&cast.user);
    assert_eq!(reset().await.refusal(), (409, "CD1051".into()));
    kept.records.release(&ticket);
    assert_eq!(reset().await.status(), 200);
    // What was tried is in the log, and that it was refused.
    assert_eq!(kept.acts(&world, Act::PositionEdited).await, 2);
    assert_eq!(kept.acts(&world, Act::PositionsReset).await, 3);
}
