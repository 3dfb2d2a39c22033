//! Everything wrong in every way: refused with its place, and nothing changed.

use crate::tests::world::World;
use serde_json::json;

#[tokio::test]
async fn what_is_sent_wrong_is_refused_with_its_place_and_changes_nothing() {
    let world = World::new().await;
    let cast = world.cast().await;
    let kept = world.sync_that_ran(&cast).await;
    let deep = format!("{{\"where\": {}1{}}}", "[".repeat(500), "]".repeat(500));
    let big = format!("{{\"codes\": [\"{}\"]}}", "x".repeat(2 << 20));
    let bodies: Vec<(&str, &str, Vec<u8>, u16, &str)> = vec![
        ("POST", "/reprocess", b"".to_vec(), 400, "breaks off"),
        ("POST", "/reprocess", b"[]".to_vec(), 400, "the body"),
        ("POST", "/reprocess", b"{\"codes\": \"x\"}".to_vec(), 400, "`codes`"),
        ("POST", "/reprocess", b"{\"codes\": [1]}".to_vec(), 400, "`codes[0]`"),
        ("POST", "/reprocess", b"{\"run\": -1}".to_vec(), 400, "`run`"),
        ("POST", "/reprocess", b"{\"run\": 1.5}".to_vec(), 400, "`run`"),
        ("POST", "/reprocess", b"{\"run\": 1, \"run\": 2}".to_vec(), 400, "run"),
        ("POST", "/reprocess", b"{\"where\": [{\"field\": \"a\"}]}".to_vec(), 400, "`where[0]`"),
        (
            "POST",
            "/reprocess",
            b"{\"where\": [{\"field\": \"a\", \"comparison\": \"x\"}]}".to_vec(),
            400,
            "comparison",
        ),
        ("POST", "/reprocess", b"{\"force\": 1}".to_vec(), 400, "`force`"),
        ("POST", "/reprocess", b"{\"none\": 1}".to_vec(), 400, "none"),
        ("POST", "/reprocess", b"{\"codes\": [\"\xff\"]}".to_vec(), 400, ""),
        ("POST", "/reprocess", deep.into_bytes(), 400, ""),
        ("POST", "/reprocess", big.into_bytes(), 413, ""),
        ("POST", "/preview", b"{\"rows\": 0}".to_vec(), 400, "`rows`"),
        ("POST", "/preview", b"{\"rows\": 101}".to_vec(), 400, "`rows`"),
        ("POST", "/preview", b"{\"rows\": \"1\"}".to_vec(), 400, "`rows`"),
        ("POST", "/checkpoints/reset", b"{\"all\": 1}".to_vec(), 400, "`all`"),
        ("PUT", "/checkpoints/groups/orders", b"{\"position\": {}}".to_vec(), 400, "`position`"),
        ("PUT", "/checkpoints/groups/orders", b"{\"position\": \"1\"}".to_vec(), 400, "confirm"),
        (
            "PUT",
            "/checkpoints/groups/orders",
            b"{\"position\": \"1\", \"confirm\": \"x\"}".to_vec(),
            400,
            "`confirm`",
        ),
    ];
    for (method, rest, body, status, place) in bodies {
        let shown = String::from_utf8_lossy(&body).chars().take(80).collect::<String>();
        let reply = world.ask(method, &kept.at(rest)).by(&cast.user).body(body).await;
        assert_eq!(reply.status(), status, "{rest} {shown}");
        assert!(reply.text("/message").contains(place), "{rest} {shown}: {}", reply.text("/message"));
    }
    let listed = world.get(&kept.at("/errors")).by(&cast.user).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 3);
    let position = world.get(&kept.at("/checkpoints/groups/orders")).by(&cast.user).await;
    assert_eq!(position.text("/position"), "\"at 1\"");
}

#[tokio::test]
async fn what_is_asked_for_wrong_is_refused_and_changes_nothing() {
    let world = World::new().await;
    let cast = world.cast().await;
    let kept = world.sync_that_ran(&cast).await;
    for (method, rest, status) in [
        ("GET", "/runs?limit=0", 400),
        ("GET", "/runs?limit=x", 400),
        ("GET", "/runs?limit=1&limit=2", 400),
        ("GET", "/runs?none=1", 400),
        ("GET", "/runs?cursor=x", 400),
        ("GET", "/runs/x", 404),
        ("GET", "/runs/-1", 404),
        ("GET", "/runs/0", 404),
        ("GET", "/runs/18446744073709551616", 404),
        ("GET", "/runs/1/log?cursor=%00", 400),
        ("GET", "/errors?run=x", 400),
        ("GET", "/errors?state=closed", 400),
        ("GET", "/errors?ids=1-1,", 400),
        ("GET", "/errors?ids=x", 400),
        ("GET", "/errors/counts?limit=1", 400),
        ("GET", "/errors/export?cursor=x", 400),
        ("DELETE", "/errors?all=1", 400),
        ("DELETE", "/errors?ids=", 400),
        ("GET", "/checkpoints/groups/%ff", 404),
        ("GET", "/checkpoints/groups/none", 404),
        ("GET", "/checkpoints/changes?cursor=eA", 400),
    ] {
        assert_eq!(
            world.ask(method, &kept.at(rest)).by(&cast.user).await.status(),
            status,
            "{method} {rest}"
        );
    }
    // A cursor of one list is none of another, nor of another sync's.
    let next = world.get(&kept.at("/errors?limit=1")).by(&cast.user).await.text("/next");
    for rest in ["/runs", "/checkpoints", "/previews", "/runs/1/log", "/checkpoints/changes"] {
        let reply = world.get(&kept.at(&format!("{rest}?cursor={next}"))).by(&cast.user).await;
        assert_eq!(reply.refusal(), (400, "CD1315".into()), "{rest}");
    }
    let listed = world.get(&kept.at("/errors")).by(&cast.user).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn times_that_are_none_are_refused_at_their_place_and_change_nothing() {
    let world = World::new().await;
    let cast = world.cast().await;
    let path = format!("/v1/organizations/{}/retention", cast.acme);
    let now = world.get(&path).by(&cast.admin).await;
    for (change, place) in [
        (json!({"row_errors_ms": 1}), "row_errors"),
        (json!({"row_errors_ms": "1"}), "row_errors_ms"),
        (json!({"none": 1}), "none"),
    ] {
        let mut times = now.json();
        times.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let set = world.ask("PUT", &path).by(&cast.admin).header("if-match", now.header("etag").unwrap());
        let reply = set.json(&times).await;
        assert!([400, 422].contains(&reply.status()), "{change}");
        assert!(reply.text("/message").contains(place), "{change}: {}", reply.text("/message"));
    }
    assert_eq!(world.get(&path).by(&cast.admin).await.json(), now.json());
}
