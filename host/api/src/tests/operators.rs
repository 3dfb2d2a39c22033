//! Who runs the installation, over HTTP.

use super::world::{PASSWORD, World};
use serde_json::{Value, json};

const INVITATIONS: &str = "/v1/operators/invitations";

fn emails(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|one| one["email"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_operator_invites_another_one_and_the_last_one_stays() {
    let world = World::new().await;
    let first = world.make_operator().await;
    let me = world.get("/v1/me").by(&first).await.text("/user");
    let last = world.ask("DELETE", &format!("/v1/operators/{me}")).by(&first).await;
    assert_eq!(last.refusal(), (409, "CD1266".into()));
    let invited = world.post(INVITATIONS, json!({"email": "second@host.example"})).by(&first).await;
    assert_eq!(invited.status(), 201);
    let token = invited.text("/token");
    assert!(token.starts_with("cfd_operator_"), "{token}");
    let open = world.get(INVITATIONS).by(&first).await;
    assert_eq!(emails(&open.json()), ["second@host.example"]);
    assert!(!String::from_utf8_lossy(open.bytes()).contains(&token), "the token is shown once");
    let joined = world.join(&token).await;
    assert_eq!(joined.json().get("organization"), None);
    let again = world.post("/v1/join", json!({"token": token, "password": PASSWORD})).await;
    assert_eq!(again.refusal(), (404, "CD1243".into()));
    let second = world.log_in("second@host.example").await;
    let listed = world.get("/v1/operators").by(&second).await.json();
    let mut all = emails(&listed);
    all.sort_unstable();
    assert_eq!(all, ["op@host.example", "second@host.example"]);
    // Both may do what one may, until one is dismissed.
    let wanted = json!({"name": "Acme", "admin_email": "ada@acme.example"});
    assert_eq!(world.post("/v1/organizations", wanted.clone()).by(&second).await.status(), 201);
    let id = joined.text("/user");
    assert_eq!(world.ask("DELETE", &format!("/v1/operators/{id}")).by(&first).await.status(), 204);
    assert_eq!(world.post("/v1/organizations", wanted).by(&second).await.refusal(), (403, "CD1242".into()));
    assert_eq!(world.get("/v1/me").by(&second).await.json()["is_operator"], false);
    let log = world.get("/v1/audit?limit=200").by(&first).await.json();
    let acts =
        |act: &str| log["items"].as_array().unwrap().iter().filter(|entry| entry["act"] == act).count();
    assert_eq!(
        (acts("operator_invited"), acts("operator_created"), acts("operator_removed")),
        (1, 2, 1),
        "{log}"
    );
}

#[tokio::test]
async fn a_member_becomes_an_operator_beside_that_and_who_was_not_invited_does_not() {
    let world = World::new().await;
    let cast = world.cast().await;
    let invited = world.post(INVITATIONS, json!({"email": "bob@acme.example"})).by(&cast.operator).await;
    let accept =
        |by: &str| world.post("/v1/invitations/accept", json!({"token": invited.text("/token")})).by(by);
    assert_eq!(accept(&cast.admin).await.refusal(), (404, "CD1243".into()));
    let accepted = accept(&cast.user).await;
    assert_eq!((accepted.status(), accepted.json()), (200, json!({"user": cast.user_id})));
    assert_eq!(world.get("/v1/operators").by(&cast.user).await.status(), 200);
    let back = world.post(INVITATIONS, json!({"email": "carl@host.example"})).by(&cast.user).await;
    let revoked =
        world.ask("DELETE", &format!("{INVITATIONS}/{}", back.text("/id"))).by(&cast.operator).await;
    assert_eq!(revoked.status(), 204);
    let join = world.post("/v1/join", json!({"token": back.text("/token"), "password": PASSWORD})).await;
    assert_eq!(join.refusal(), (404, "CD1243".into()));
}
