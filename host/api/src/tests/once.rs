//! Requests that come again, and changes to what somebody else has changed.

use super::world::World;
use serde_json::json;

#[tokio::test]
async fn a_request_with_a_key_is_done_once() {
    let world = World::new().await;
    let cast = world.cast().await;
    let path = format!("/v1/organizations/{}/break-glass", cast.acme);
    let ask = |reason: &str, key: &str, by: &str| {
        world.post(&path, json!({"reason": reason})).by(by).header("idempotency-key", key)
    };
    let first = ask("ticket", "k1", &cast.operator).await;
    let again = ask("ticket", "k1", &cast.operator).await;
    assert_eq!((first.status(), first.bytes()), (201, again.bytes()));
    assert_eq!((first.header("idempotent-replay"), again.header("idempotent-replay")), (None, Some("true")));
    assert_ne!(first.text("/id"), ask("ticket", "k2", &cast.operator).await.text("/id"));
    assert_eq!(ask("other", "k1", &cast.operator).await.refusal(), (422, "CD1324".into()));
    // Somebody else's key is not theirs.
    assert_eq!(ask("ticket", "k1", &cast.admin).await.status(), 403);
    assert_eq!(ask("ticket", "k1", &cast.admin).await.text("/code"), "CD1242");
    for key in ["", "a b", &"x".repeat(201), "é"] {
        assert_eq!(ask("ticket", key, &cast.operator).await.refusal(), (400, "CD1323".into()), "{key}");
    }
    // A refusal is the same again, to its id.
    let body = || json!({"checkpoint": "x"});
    let compare =
        || world.post("/v1/audit/compare", body()).by(&cast.operator).header("idempotency-key", "k9");
    let (first, again) = (compare().await, compare().await);
    assert_eq!((first.status(), first.bytes()), (422, again.bytes()));
    let types = [&first, &again].map(|reply| reply.header("content-type"));
    assert_eq!(types, [Some("application/json"); 2]);
    let list = world.get(&path).by(&cast.operator).await;
    assert_eq!(list.json()["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_secret_is_not_told_twice() {
    let world = World::new().await;
    let cast = world.cast().await;
    let path = format!("/v1/organizations/{}/tokens", cast.acme);
    let ask = || {
        let body = json!({"name": "ci", "scopes": ["read"], "days": 7});
        world.post(&path, body).by(&cast.admin).header("idempotency-key", "k")
    };
    assert_eq!(ask().await.status(), 201);
    assert_eq!(ask().await.refusal(), (409, "CD1327".into()));
    assert_eq!(world.get(&path).by(&cast.admin).await.json()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn only_what_was_read_is_changed() {
    let world = World::new().await;
    let cast = world.cast().await;
    let path = format!("/v1/organizations/{}", cast.acme);
    let rename = |name: &str| world.ask("PATCH", &path).by(&cast.admin).json(&json!({"name": name}));
    let tag = world.get(&path).by(&cast.user).await.header("etag").unwrap().to_owned();
    assert_eq!(rename("A").await.refusal(), (428, "CD1321".into()));
    assert_eq!(rename("A").header("if-match", "\"x\"").await.refusal(), (412, "CD1322".into()));
    // Of many who have read the same, one changes it.
    let asked = (0..10).map(|n| rename(&format!("Acme {n}")).header("if-match", &tag).into_future());
    let mut done: Vec<u16> =
        futures::future::join_all(asked).await.iter().map(super::asked::Reply::status).collect();
    done.sort_unstable();
    assert_eq!(done, [[200].as_slice(), &[412; 9]].concat());
    let now = world.get(&path).by(&cast.user).await;
    assert_ne!(now.header("etag").unwrap(), tag);
    assert!(now.text("/name").starts_with("Acme "));
}

#[tokio::test]
async fn nobody_shuts_themselves_out_and_others_stay_out() {
    let world = World::new().await;
    let cast = world.cast().await;
    let path = format!("/v1/organizations/{}/zones", cast.acme);
    let set = async |ranges: serde_json::Value| {
        let tag = world.get(&path).by(&cast.admin).await.header("etag").unwrap().to_owned();
        let body = json!({"api": ranges, "events": []});
        world.ask("PUT", &path).by(&cast.admin).header("if-match", &tag).json(&body).await
    };
    assert_eq!(set(json!(["198.51.100.0/24"])).await.refusal(), (422, "CD1251".into()));
    let refused = set(json!(["192.0.2.0/24", "canary"])).await;
    assert_eq!(refused.refusal(), (400, "CD1311".into()));
    assert!(refused.text("/message").starts_with("`api[1]`") && !refused.text("/message").contains("canary"));
    assert_eq!(set(json!(["192.0.2.0/24"])).await.status(), 200);
    let look = |from: &str| world.get(&format!("/v1/organizations/{}", cast.acme)).by(&cast.user).from(from);
    assert_eq!(look("192.0.2.200").await.status(), 200);
    assert_eq!(look("198.51.100.1").await.refusal(), (403, "CD1320".into()));
    // A header that no proxy of ours wrote is nothing.
    let lied = look("198.51.100.1").header("x-forwarded-for", "192.0.2.1").await;
    assert_eq!(lied.status(), 403);
    // Who is no member does not learn even that.
    let eve = world.get(&format!("/v1/organizations/{}", cast.acme)).by(&cast.eve).from("198.51.100.1").await;
    assert_eq!(eve.refusal(), (404, "CD1240".into()));
}

#[tokio::test]
async fn who_hangs_up_in_the_middle_leaves_no_half() {
    let world = World::new().await;
    let cast = world.cast().await;
    let path = format!("/v1/organizations/{}", cast.acme);
    let tag = world.get(&path).by(&cast.admin).await.header("etag").unwrap().to_owned();
    let before_it = world.house.edit(&cast.acme).await;
    let rename = world.ask("PATCH", &path).by(&cast.admin).header("if-match", &tag);
    let mut asking = rename.json(&json!({"name": "Acme 2"})).into_future();
    // It is begun, and then nobody waits for it any more.
    assert!(futures::poll!(&mut asking).is_pending());
    drop(asking);
    drop(before_it);
    let done = async {
        while world.get(&path).by(&cast.admin).await.text("/name") != "Acme 2" {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), done).await.unwrap();
}
