//! Browsers: cookies, and the pages from which requests come.

use super::world::{PASSWORD, World, options};
use crate::Options;
use serde_json::json;

/// As a browser sends it.
async fn cookie(world: &World) -> String {
    world.make_operator().await;
    let reply = world.post("/v1/login", json!({"email": "op@host.example", "password": PASSWORD})).await;
    assert!(reply.json().get("token").is_none());
    let set = reply.header("set-cookie").unwrap();
    set.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_cookie_alone_changes_nothing_from_another_page() {
    let world = World::new().await;
    let cookie = cookie(&world).await;
    let ask = |method: &str, path: &str, headers: &[(&str, &str)]| {
        let asking = world.ask(method, path).header("cookie", &cookie);
        headers.iter().fold(asking, |asking, (name, value)| asking.header(name, value))
    };
    for (headers, status) in [
        (&[("origin", "https://cofferdam.test")][..], 200),
        (&[("origin", "https://COFFERDAM.test")], 200),
        (&[("sec-fetch-site", "same-origin")], 200),
        (&[], 403),
        (&[("sec-fetch-site", "same-site")], 403),
        (&[("origin", "https://evil.test")], 403),
        (&[("origin", "https://cofferdam.test.evil.test")], 403),
        (&[("origin", "null"), ("sec-fetch-site", "same-origin")], 403),
    ] {
        assert_eq!(ask("DELETE", "/v1/sessions", headers).await.status(), status, "{headers:?}");
        assert_eq!(ask("GET", "/v1/me", headers).await.status(), 200, "{headers:?}");
    }
    assert_eq!(ask("POST", "/v1/logout", &[("sec-fetch-site", "same-origin")]).await.status(), 204);
    assert_eq!(ask("GET", "/v1/me", &[]).await.status(), 401);
}

#[tokio::test]
async fn where_the_name_of_the_server_is_set_no_other_counts() {
    let origin = Some("https://public.example".to_owned());
    let world = World::with(Options { origin, ..options() }).await;
    let cookie = cookie(&world).await;
    for (origin, status) in [("https://public.example", 200), ("https://cofferdam.test", 403)] {
        let asked = world.ask("DELETE", "/v1/sessions").header("cookie", &cookie).header("origin", origin);
        assert_eq!(asked.await.status(), status);
    }
}

#[tokio::test]
async fn no_other_page_logs_somebody_in() {
    let world = World::new().await;
    world.make_operator().await;
    let body = json!({"email": "op@host.example", "password": PASSWORD});
    let asked = world.post("/v1/login", body).header("origin", "https://evil.test").await;
    assert_eq!(asked.refusal(), (403, "CD1318".into()));
    assert_eq!(asked.header("set-cookie"), None);
}

#[tokio::test]
async fn coming_in_again_ends_the_session_that_the_cookie_named() {
    let world = World::new().await;
    let cookie = cookie(&world).await;
    let body = json!({"email": "op@host.example", "password": PASSWORD});
    assert_eq!(world.post("/v1/login", body).header("cookie", &cookie).await.status(), 200);
    assert_eq!(world.get("/v1/me").header("cookie", &cookie).await.status(), 401);
}
