//! What those hear who listen, and when they hear no more.

use super::works::Works;
use super::world::{Cast, HOUR_MS, World, options};
use crate::{Limits, Options};
use axum::body::Body;
use control::RunCounts;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use std::time::Duration;

/// Somebody who listens.
struct Ear {
    body: Body,
    text: String,
}

impl Ear {
    /// The next event: its id, its kind, and its data. None: there will be no more.
    async fn hear(&mut self) -> Option<(String, String, Value)> {
        loop {
            let Some((event, rest)) = self.text.split_once("\n\n") else {
                let frame =
                    tokio::time::timeout(Duration::from_secs(30), self.body.frame()).await.unwrap()?;
                self.text.push_str(std::str::from_utf8(&frame.unwrap().into_data().unwrap()).unwrap());
                continue;
            };
            let (event, rest) = (event.to_owned(), rest.to_owned());
            self.text = rest;
            let line = |name: &str| event.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
            // Signs of life have none.
            let Some(data) = line("data") else { continue };
            let part = |name| line(name).unwrap().to_owned();
            return Some((part("id"), part("event"), serde_json::from_str(data).unwrap()));
        }
    }

    /// Waits until there is nothing more to hear.
    async fn end(mut self) {
        let hearing = async { while self.hear().await.is_some() {} };
        tokio::time::timeout(Duration::from_secs(30), hearing).await.unwrap();
    }
}

/// It is looked often whether they still may.
fn often() -> Options {
    Options { limits: Limits { look: Duration::from_millis(20), ..Limits::default() }, ..options() }
}

async fn listen(world: &World, cast: &Cast, by: &str, after: Option<&str>) -> Ear {
    let asking = world.get(&format!("/v1/organizations/{}/live", cast.acme)).by(by);
    let asking = after.into_iter().fold(asking, |asking, after| asking.header("last-event-id", after));
    let (reply, body) = asking.open().await;
    assert_eq!((reply.status(), reply.header("content-type")), (200, Some("text/event-stream")));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    Ear { body, text: String::new() }
}

async fn begin() -> (World, Cast, Works) {
    let world = World::with(often()).await;
    let cast = world.cast().await;
    let works = world.works(&cast).await;
    (world, cast, works)
}

#[tokio::test]
async fn what_happens_is_told_by_ids_states_and_counts_alone() {
    let (world, cast, works) = begin().await;
    let mut ear = listen(&world, &cast, &cast.user, None).await;
    let (_, kind, data) = ear.hear().await.unwrap();
    assert_eq!((kind.as_str(), data), ("here", json!({"kind": "here"})));
    let id = world.sync(&cast.user, &works, json!({"name": "canary"})).await;
    world.ask("POST", &works.at(&format!("/{id}/start"))).by(&cast.user).await;
    let run = world.ask("POST", &works.at(&format!("/{id}/runs"))).by(&cast.user).await.text("/run");
    let control::Taking::Run(taken) = world.parts.queue.take().await.unwrap() else { panic!() };
    let counts = RunCounts { read: 9, accepted: 7, rejected: 1, filtered: 1 };
    let now_ms = world.parts.organizations.now_ms();
    world.parts.syncs.live().progress(&cast.acme, now_ms, (&run, &id), counts);
    let failed =
        control::RunOutcome::Failed { error: "canary".into(), can_retry: false, retry_after_ms: None };
    world.parts.queue.finish(taken, &failed).await.unwrap();
    let mut told = Vec::new();
    for _ in 0..5 {
        let (_, kind, mut data) = ear.hear().await.unwrap();
        assert_eq!((data["kind"].take(), data["at_ms"].take()), (json!(kind), json!(now_ms)));
        data.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        told.push((kind, data));
    }
    let of_run = |more: Value| {
        let mut all = json!({"run": run, "sync": id});
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    };
    let said = |kind: &str, data: Value| (kind.to_owned(), data);
    assert_eq!(
        told,
        [
            said("sync_changed", json!({"sync": id})),
            said("sync_state", json!({"sync": id, "state": "running"})),
            said("run_waits", of_run(json!({"attempts": 0}))),
            said("run_began", of_run(json!({"attempts": 1}))),
            // How far it was is told no more once it has ended.
            said("run_ended", of_run(json!({"outcome": "failed"}))),
        ]
    );
}

#[tokio::test]
async fn who_comes_back_goes_on_where_they_were_or_is_told_that_something_is_missing() {
    let (world, cast, works) = begin().await;
    let mut ear = listen(&world, &cast, &cast.user, None).await;
    let (here, ..) = ear.hear().await.unwrap();
    drop(ear);
    let id = world.sync(&cast.user, &works, json!({})).await;
    let mut ear = listen(&world, &cast, &cast.user, Some(&here)).await;
    let (first, kind, data) = ear.hear().await.unwrap();
    assert_eq!((kind.as_str(), data["sync"].as_str()), ("sync_changed", Some(id.as_str())));
    drop(ear);
    world.ask("DELETE", &works.at(&format!("/{id}"))).by(&cast.user).await;
    let mut ear = listen(&world, &cast, &cast.user, Some(&first)).await;
    assert_eq!(ear.hear().await.unwrap().1, "sync_deleted");
    for foreign in ["x", "0000000000000000-0", "é"] {
        let mut ear = listen(&world, &cast, &cast.user, Some(foreign)).await;
        assert_eq!(ear.hear().await.unwrap().1, "missed", "{foreign}");
    }
}

#[tokio::test]
async fn nobody_hears_of_another_organization() {
    let (world, cast, works) = begin().await;
    let own = world.get("/v1/organizations").by(&cast.eve).await.text("/items/0/id");
    let eve = Cast { acme: own, ..world_of(&cast) };
    let mut ear = listen(&world, &eve, &cast.eve, None).await;
    assert_eq!(ear.hear().await.unwrap().1, "here");
    world.sync(&cast.user, &works, json!({})).await;
    world.house.begin_to_drain();
    assert_eq!(ear.hear().await, None);
}

fn world_of(cast: &Cast) -> Cast {
    let Cast { operator, admin, user, eve, acme, user_id } = cast;
    let [operator, admin, user, eve, acme, user_id] =
        [operator, admin, user, eve, acme, user_id].map(String::clone);
    Cast { operator, admin, user, eve, acme, user_id }
}

#[tokio::test]
async fn who_may_listen_no_more_hears_no_more() {
    for end in ["log out", "idle", "removed", "token revoked", "zones", "drain", "organization deleted"] {
        let (world, cast, _) = begin().await;
        let at = |rest: &str| format!("/v1/organizations/{}{rest}", cast.acme);
        let (token, id) = world.token(&cast.user, &cast.acme, &["read"]).await;
        let by = if end == "token revoked" { &token } else { &cast.user };
        let mut ear = listen(&world, &cast, by, None).await;
        assert_eq!(ear.hear().await.unwrap().1, "here");
        match end {
            "log out" => drop(world.ask("POST", "/v1/logout").by(&cast.user).await),
            // That they listen is no use of their session.
            "idle" => world.clock.pass(2 * HOUR_MS),
            "removed" => {
                let path = at(&format!("/members/{}", cast.user_id));
                assert_eq!(world.ask("DELETE", &path).by(&cast.admin).await.status(), 204);
            }
            "token revoked" => {
                let path = at(&format!("/tokens/{id}"));
                assert_eq!(world.ask("DELETE", &path).by(&cast.user).await.status(), 204);
            }
            "zones" => {
                let tag = world.get(&at("/zones")).by(&cast.admin).await.header("etag").unwrap().to_owned();
                let set = world.ask("PUT", &at("/zones")).by(&cast.admin).from("198.51.100.1");
                let body = json!({"api": ["198.51.100.0/24"], "events": []});
                assert_eq!(set.header("if-match", &tag).json(&body).await.status(), 200);
            }
            "drain" => world.house.begin_to_drain(),
            _ => super::deletion::delete(&world, &cast).await,
        }
        ear.end().await;
    }
}

#[tokio::test]
async fn one_caller_may_listen_so_often_at_once_and_again_when_one_has_ended() {
    let limits = Limits { listeners_per_caller_max: 2, listeners_max: 3, ..often().limits };
    let world = World::with(Options { limits, ..options() }).await;
    let cast = world.cast().await;
    let path = format!("/v1/organizations/{}/live", cast.acme);
    let (one, _two) =
        (listen(&world, &cast, &cast.user, None).await, listen(&world, &cast, &cast.user, None).await);
    assert_eq!(world.get(&path).by(&cast.user).await.refusal(), (429, "CD1338".into()));
    let _admin = listen(&world, &cast, &cast.admin, None).await;
    assert_eq!(world.get(&path).by(&cast.admin).await.refusal(), (429, "CD1338".into()));
    drop(one);
    let _again = listen(&world, &cast, &cast.user, None).await;
    // Who may not is not counted.
    assert_eq!(world.get(&path).by(&cast.eve).await.status(), 404);
}
