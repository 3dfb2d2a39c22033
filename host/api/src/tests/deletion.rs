//! What becomes of an organization and of people who go.

use super::world::{Cast, DAY_MS, PASSWORD, World};
use serde_json::json;

/// The organization of this cast is deleted by its admin, after the time.
pub(crate) async fn delete(world: &World, cast: &Cast) {
    let path = format!("/v1/organizations/{}/deletion", cast.acme);
    let name = || json!({"name": "Acme"});
    assert_eq!(world.post(&path, name()).by(&cast.admin).await.status(), 202);
    world.clock.pass(3 * DAY_MS);
    let admin = world.log_in("ada@acme.example").await;
    assert_eq!(world.post(&format!("{path}/confirm"), name()).by(&admin).await.status(), 200);
}

#[tokio::test]
async fn an_organization_goes_in_two_steps_and_leaves_a_certificate() {
    let world = World::new().await;
    let cast = world.cast().await;
    let works = world.works(&cast).await;
    let sync = world.sync(&cast.user, &works, json!({})).await;
    world.ask("POST", &works.at(&format!("/{sync}/runs"))).by(&cast.user).await;
    let control::Taking::Run(mut taken) = world.parts.queue.take().await.unwrap() else { panic!() };
    let path = format!("/v1/organizations/{}/deletion", cast.acme);
    let confirm = format!("{path}/confirm");
    let ask = |path: &str, name: &str| world.post(path, json!({"name": name})).by(&cast.admin);
    let show = async || world.get(&path).by(&cast.user).await.json();

    assert_eq!(show().await, json!({"is_requested": false}));
    assert_eq!(ask(&confirm, "Acme").await.refusal(), (409, "CD1264".into()));
    assert_eq!(ask(&path, "Acne").await.refusal(), (422, "CD1263".into()));
    let requested = ask(&path, "Acme").await;
    assert_eq!((requested.status(), requested.json()), (202, show().await));
    let due_ms = requested.json()["due_ms"].as_u64().unwrap();
    assert_eq!(due_ms, 20_000 * DAY_MS + 3 * DAY_MS);
    assert_eq!(ask(&confirm, "Acme").await.refusal(), (409, "CD1265".into()));
    assert_eq!(world.ask("DELETE", &path).by(&cast.admin).await.status(), 204);
    assert_eq!(show().await, json!({"is_requested": false}));
    assert_eq!(world.ask("DELETE", &path).by(&cast.admin).await.refusal(), (409, "CD1264".into()));

    let records = world.parts.records.of(&world.parts.organizations.owner(&cast.acme));
    let mut wishes = world.parts.queue.wishes();
    wishes.mark_unchanged();
    delete(&world, &cast).await;
    // Whoever holds a run of it learns at once that there is none any more.
    assert!(wishes.has_changed().unwrap());
    assert_eq!(world.parts.queue.renew(&mut taken).await.unwrap_err().code(), "CD1262");
    assert_eq!(std::sync::Arc::strong_count(&records), 1);
    let admin = world.log_in("ada@acme.example").await;
    assert_eq!(world.get(&path).by(&admin).await.refusal(), (404, "CD1240".into()));
    assert_eq!(world.get(&works.path).by(&admin).await.refusal(), (404, "CD1240".into()));

    let certificate = format!("/v1/deletions/{}", cast.acme);
    let operator = world.log_in("op@host.example").await;
    let shown = world.get(&certificate).by(&operator).await;
    assert_eq!((shown.status(), shown.text("/organization")), (200, cast.acme.clone()));
    assert_eq!(shown.json()["directories"], serde_json::json!(["imports"]), "files there are the operator's");
    assert_eq!((shown.text("/region"), shown.text("/log_root").len()), ("eu-1".into(), 64));
    let log = world.get("/v1/audit?limit=200").by(&operator).await.json();
    let entry = log["items"].as_array().unwrap().iter().find(|entry| entry["act"] == "organization_shredded");
    assert_eq!(entry.unwrap()["details"]["log_root"], shown.json()["log_root"]);
    assert_eq!(world.get("/v1/deletions/org_none").by(&operator).await.status(), 404);
}

#[tokio::test]
async fn a_person_goes_by_their_password_and_an_operator_removes_others() {
    let world = World::new().await;
    let cast = world.cast().await;
    let body = |password: &str| json!({"password": password});
    let remove = |by: &str, password: &str| world.ask("DELETE", "/v1/me").by(by).json(&body(password));
    assert_eq!(remove(&cast.user, "no canary in any mine").await.refusal(), (401, "CD1222".into()));
    assert_eq!(world.get("/v1/me").by(&cast.user).await.status(), 200);
    assert_eq!(remove(&cast.admin, PASSWORD).await.refusal(), (409, "CD1244".into()));
    assert_eq!(remove(&cast.operator, PASSWORD).await.refusal(), (409, "CD1266".into()));
    assert_eq!(remove(&cast.user, PASSWORD).await.status(), 204);
    assert_eq!(world.get("/v1/me").by(&cast.user).await.status(), 401);
    let members = world.get(&format!("/v1/organizations/{}/members", cast.acme)).by(&cast.admin).await;
    assert_eq!(members.json()["items"].as_array().unwrap().len(), 1);

    let path = format!("/v1/organizations/{}/invitations", cast.acme);
    let invite = json!({"email": "carl@acme.example", "role": "user"});
    let invited = world.post(&path, invite).by(&cast.admin).await;
    let carl = world.join(&invited.text("/token")).await.text("/user");
    let path = format!("/v1/people/{carl}");
    let other = |by: &str| world.ask("DELETE", &path).by(by).json(&body(PASSWORD));
    assert_eq!(other(&cast.admin).await.refusal(), (403, "CD1242".into()));
    assert_eq!(other(&cast.operator).await.status(), 204);
    assert_eq!(other(&cast.operator).await.refusal(), (404, "CD1231".into()));
}
