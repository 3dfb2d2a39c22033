//! What a refusal looks like, and what it does not tell.

use super::world::{World, options};
use crate::refusal::Refusal;
use crate::{Options, Rates};
use control::{Error, Reason};
use serde_json::json;
use std::num::NonZeroU32;

#[tokio::test]
async fn a_refusal_has_four_fields_and_the_id_of_its_request() {
    let world = World::new().await;
    for (reply, expected) in [
        (world.get("/v1/me").await, (401, "CD1310")),
        (world.get("/v1/nothing").await, (404, "CD1316")),
        (world.ask("PATCH", "/v1/me").await, (405, "CD1317")),
        (world.post("/v1/login", json!({})).await, (400, "CD1311")),
        (world.ask("POST", "/v1/login").await, (415, "CD1313")),
        (world.ask("POST", "/v1/login").body(vec![b' '; (1 << 20) + 1]).await, (413, "CD1312")),
        (world.get("/healthz").header("host", "other.test").await, (400, "CD1329")),
    ] {
        let (status, code) = reply.refusal();
        assert_eq!((status, code.as_str()), expected);
        let json = reply.json();
        let mut names: Vec<&str> = json.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["code", "hint", "message", "request_id"]);
        assert_eq!(reply.header("x-request-id").unwrap(), reply.text("/request_id"));
        assert_eq!(reply.header("content-type"), Some("application/json"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test]
async fn who_shows_nothing_that_holds_is_told_nothing_of_why() {
    let world = World::new().await;
    let cast = world.cast().await;
    let (token, id) = world.token(&cast.admin, &cast.acme, &["read"]).await;
    let path = format!("/v1/organizations/{}/tokens/{id}", cast.acme);
    assert_eq!(world.ask("DELETE", &path).by(&cast.admin).await.status(), 204);
    let mut told = Vec::new();
    for shown in [token.as_str(), "", "x", "cfd_api_x", "cfd_session_x", &cast.admin.to_uppercase()] {
        let reply = world.get("/v1/me").by(shown).await;
        assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
        told.push((reply.refusal(), reply.text("/message"), reply.text("/hint")));
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
}

#[tokio::test]
async fn what_is_somebody_elses_and_what_is_not_there_are_one() {
    let world = World::new().await;
    let cast = world.cast().await;
    let none = "org_aaaaaaaaaaaaaaaaaaaaaaaaaa";
    assert_eq!(none.len(), cast.acme.len());
    for rest in ["", "/members", "/tokens", "/zones", "/audit", "/break-glass", "/members/usr_x"] {
        let ask = async |id: &str| {
            let reply = world.get(&format!("/v1/organizations/{id}{rest}")).by(&cast.eve).await;
            assert_eq!(reply.status(), 404, "{rest}");
            reply.text("/message").replace(id, "") + &reply.text("/code") + &reply.text("/hint")
        };
        assert_eq!(ask(&cast.acme).await, ask(none).await, "{rest}");
    }
    let (token, _) = world.token(&cast.eve, &other_of(&world, &cast.eve).await, &["read", "admin"]).await;
    for id in [cast.acme.as_str(), none] {
        let reply = world.get(&format!("/v1/organizations/{id}")).by(&token).await;
        assert_eq!(reply.refusal(), (404, "CD1240".to_owned()));
    }
}

async fn other_of(world: &World, by: &str) -> String {
    world.get("/v1/organizations").by(by).await.text("/items/0/id")
}

#[test]
fn what_failed_within_is_for_the_log_alone() {
    let reason = "/var/lib/canary is full".into();
    let stopped = storage::Error::Engine(storage::EngineError::Stopped { reason });
    let unreadable = Error::Unreadable { table: "canary".into(), message: "canary".into() };
    for (error, status) in [(Error::Storage(stopped), 503), (unreadable, 500), (Error::Hashing, 500)] {
        let refusal = Refusal::from(error);
        assert_eq!(refusal.status.as_u16(), status);
        assert!(!String::from_utf8(refusal.body("req_1")).unwrap().contains("canary"));
        assert!(refusal.cause.is_some());
    }
}

#[test]
fn a_denial_of_who_is_no_member_is_that_there_is_nothing() {
    let denied = |reason| Refusal::from(Error::Denied { action: "x".into(), reason }).status.as_u16();
    assert_eq!(denied(Reason::NotAMember), 404);
    assert_eq!(denied(Reason::NeedsAdmin), 403);
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_come_again() {
    let number = |number| NonZeroU32::new(number).unwrap();
    let rates = Rates { caller_per_second: number(1), caller_burst: number(3), ..options().rates };
    let world = World::with(Options { rates, ..options() }).await;
    let operator = world.make_operator().await;
    for _ in 0..3 {
        assert_eq!(world.get("/v1/me").by(&operator).await.status(), 200);
    }
    let reply = world.get("/v1/me").by(&operator).await;
    assert_eq!(reply.refusal(), (429, "CD1319".to_owned()));
    assert!(["1", "2"].contains(&reply.header("retry-after").unwrap()));
    let rates = Rates { stranger_per_second: number(1), stranger_burst: number(2), ..options().rates };
    let world = World::with(Options { rates, ..options() }).await;
    for status in [401, 401, 429] {
        assert_eq!(world.get("/v1/me").by("cfd_api_guess").await.status(), status);
    }
    assert_eq!(world.get("/v1/me").by("cfd_api_guess").from("198.51.100.1").await.status(), 401);
}
