//! From an empty installation to a verified audit log.

use super::world::{PASSWORD, World};
use control::{NoteKey, VerifyOptions, verify_export};
use serde_json::json;

#[tokio::test]
async fn the_log_of_an_organization_is_read_exported_and_proved() {
    let world = World::new().await;
    let cast = world.cast().await;
    let at = |rest: &str| format!("/v1/organizations/{}/audit{rest}", cast.acme);
    let get = async |rest: &str| world.get(&at(rest)).by(&cast.admin).await;
    let early = get("/checkpoint").await;
    // Page by page all entries come, each once.
    let (mut numbers, mut path) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = get(&path).await.json();
        let items = page["items"].as_array().unwrap();
        numbers.extend(items.iter().map(|item| item["number"].as_u64().unwrap()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("?limit=2&cursor={next}");
    }
    assert_eq!(numbers, (0..u64::try_from(numbers.len()).unwrap()).collect::<Vec<_>>());
    assert!(numbers.len() > 3);
    let exported = get("/export").await;
    let options = VerifyOptions {
        key: Some(NoteKey::parse(&early.text("/key")).unwrap()),
        remembered: vec![early.text("/checkpoint")],
    };
    let verified = verify_export(&mut exported.bytes(), &options).unwrap();
    assert!(verified.findings.is_empty(), "{:?}", verified.findings);
    // That it was exported is in it.
    assert_eq!(verified.entries, u64::try_from(numbers.len()).unwrap() + 1);
    let compared = |kept: &str| world.post(&at("/compare"), json!({"checkpoint": kept})).by(&cast.admin);
    assert_eq!(compared(&early.text("/checkpoint")).await.text("/result"), "fits");
    assert_eq!(compared("canary").await.refusal(), (422, "CD1205".into()));
    let proof = get("/inclusion?number=1&size=3").await.json();
    assert_eq!((proof["size"].as_u64(), proof["path"].as_array().unwrap().len()), (Some(3), 2));
    assert_eq!(get("/consistency?earlier=2&size=3").await.json()["path"].as_array().unwrap().len(), 1);
    assert_eq!(get("/inclusion?number=9&size=9000").await.refusal(), (422, "CD1208".into()));
    for (query, code) in [
        ("?cursor=canary", "CD1315"),
        ("?limit=0", "CD1314"),
        ("?limit=x", "CD1314"),
        ("?more=1", "CD1314"),
        ("?limit=1&limit=2", "CD1314"),
    ] {
        assert_eq!(get(query).await.refusal(), (400, code.to_owned()), "{query}");
    }
}

#[tokio::test]
async fn a_member_comes_changes_and_goes() {
    let world = World::new().await;
    let cast = world.cast().await;
    let at = format!("/v1/organizations/{}/members/{}", cast.acme, cast.user_id);
    let found = world.get(&at).by(&cast.admin).await;
    assert_eq!((found.text("/role"), found.text("/email")), ("user".into(), "bob@acme.example".into()));
    let tag = found.header("etag").unwrap().to_owned();
    let change = |role: &str| world.ask("PATCH", &at).by(&cast.admin).json(&json!({"role": role}));
    let changed = change("admin").header("if-match", &tag).await;
    assert_eq!((changed.status(), changed.text("/role")), (200, "admin".into()));
    let refused = change("king").header("if-match", &tag).await;
    assert_eq!(refused.refusal(), (400, "CD1311".into()));
    assert_eq!(refused.text("/message"), "`role`: expected `admin` or `user`");
    assert_eq!(world.ask("DELETE", &at).by(&cast.user).await.status(), 204);
    assert_eq!(world.get(&at).by(&cast.user).await.status(), 404);
    assert_eq!(world.get(&at).by(&cast.admin).await.refusal(), (404, "CD1231".into()));
}

#[tokio::test]
async fn another_password_ends_every_other_session() {
    let world = World::new().await;
    let cast = world.cast().await;
    let other = world.log_in("bob@acme.example").await;
    let body = json!({"old": PASSWORD, "new": "another canary in a mine"});
    assert_eq!(world.post("/v1/password", body).by(&cast.user).await.status(), 204);
    assert_eq!(world.get("/v1/me").by(&other).await.status(), 401);
    assert_eq!(world.get("/v1/me").by(&cast.user).await.status(), 200);
    let weak = json!({"old": "another canary in a mine", "new": "short"});
    assert_eq!(world.post("/v1/password", weak).by(&cast.user).await.refusal(), (422, "CD1221".into()));
}

#[tokio::test]
async fn lists_come_a_page_at_a_time() {
    let world = World::new().await;
    let cast = world.cast().await;
    let path = format!("/v1/organizations/{}/tokens", cast.acme);
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(world.token(&cast.user, &cast.acme, &["read"]).await.1);
    }
    made.sort();
    let (mut seen, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = world.get(&format!("{path}{query}")).by(&cast.user).await.json();
        seen.extend(
            page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else { break };
        // A cursor of this list is none of another.
        let members = format!("/v1/organizations/{}/members?cursor={next}", cast.acme);
        assert_eq!(world.get(&members).by(&cast.user).await.refusal(), (400, "CD1315".into()));
        query = format!("?limit=2&cursor={next}");
    }
    assert_eq!(seen, made);
}
