//! Every route of the description, by everybody who may ask. A route without a row fails, and so does a row without a
//! route.

use super::world::{DAY_MS, HOUR_MS, PASSWORD, World};
use crate::document;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What each is answered.
#[derive(Debug, Clone, Copy)]
struct Expected {
    /// Nobody, and whoever shows what does not hold any more.
    nobody: u16,
    /// An admin of another organization.
    foreign: u16,
    user: u16,
    admin: u16,
    operator: u16,
    /// A token of an admin with a scope that opens nothing here.
    scope: u16,
    /// An admin from outside of the organization's ranges.
    outside: u16,
    /// A token of an admin with every scope.
    token: u16,
}

/// Everybody is answered the same.
const fn all(status: u16) -> Expected {
    Expected {
        nobody: status,
        foreign: status,
        user: status,
        admin: status,
        operator: status,
        scope: status,
        outside: status,
        token: status,
    }
}

/// For people, whoever they are.
const fn people(status: u16) -> Expected {
    Expected { nobody: 401, scope: 403, token: 403, ..all(status) }
}

/// Of an organization: user, admin, operator, token of an admin.
const fn inside(user: u16, admin: u16, operator: u16, token: u16) -> Expected {
    Expected { nobody: 401, foreign: 404, user, admin, operator, scope: 403, outside: 403, token }
}

/// Of the installation.
const fn operators(status: u16) -> Expected {
    Expected { nobody: 401, operator: status, ..all(403) }
}

const O: &str = "/v1/organizations/{organization}";

/// In this order, for each who asks: what takes something away comes last.
fn rows() -> Vec<(&'static str, String, Value, Expected)> {
    let login = json!({"email": "bob@acme.example", "password": PASSWORD, "keep": "token"});
    let row = |method, path: &str, body: Value, expected| {
        (method, path.replace("O/", &format!("{O}/")), body, expected)
    };
    let get = |path: &str, expected| row("get", path, Value::Null, expected);
    vec![
        get("/healthz", all(200)),
        get("/readyz", all(200)),
        get("/v1/openapi.json", all(200)),
        row("post", "/v1/setup", json!({"token": "x", "email": "a@b.example", "password": "x"}), all(403)),
        row("post", "/v1/login", login, all(200)),
        row("post", "/v1/join", json!({"token": "x", "password": "x"}), all(404)),
        get("/v1/me", Expected { nobody: 401, ..all(200) }),
        get("/v1/sessions", people(200)),
        row("delete", "/v1/sessions/{session}", Value::Null, people(404)),
        row("post", "/v1/second-factor", Value::Null, people(200)),
        row("post", "/v1/second-factor/enable", json!({"code": "x"}), people(422)),
        row("post", "/v1/second-factor/disable", json!({"password": PASSWORD}), people(409)),
        row("post", "/v1/invitations/accept", json!({"token": "x"}), people(404)),
        get("/v1/organizations", Expected { nobody: 401, ..all(200) }),
        row("post", "/v1/organizations", json!({"name": "N", "admin_email": "n@n.example"}), operators(201)),
        get(O, inside(200, 200, 200, 200)),
        row("patch", O, json!({"name": "Acme 2"}), inside(403, 200, 403, 200)),
        get("O/members", inside(200, 200, 403, 200)),
        get("O/members/{user}", inside(200, 200, 403, 200)),
        row("patch", "O/members/{user}", json!({"role": "user"}), inside(403, 200, 403, 200)),
        get("O/invitations", inside(403, 200, 403, 200)),
        row(
            "post",
            "O/invitations",
            json!({"email": "n@n.example", "role": "user"}),
            inside(403, 201, 403, 201),
        ),
        row("delete", "O/invitations/{invitation}", Value::Null, inside(403, 204, 403, 204)),
        get("O/tokens", inside(200, 200, 403, 403)),
        row(
            "post",
            "O/tokens",
            json!({"name": "n", "scopes": ["read"], "days": 1}),
            inside(201, 201, 403, 403),
        ),
        row("delete", "O/tokens/{token}", Value::Null, inside(403, 204, 403, 403)),
        get("O/zones", inside(403, 200, 403, 200)),
        row("put", "O/zones", json!({"api": ["192.0.2.0/24"], "events": []}), inside(403, 200, 403, 200)),
        get("O/break-glass", inside(403, 200, 200, 403)),
        row("post", "O/break-glass", json!({"reason": "ticket"}), inside(403, 403, 201, 403)),
        get("O/break-glass/{glass}", inside(404, 200, 200, 403)),
        row(
            "post",
            "O/break-glass/{glass}/approve",
            json!({"minutes": 5, "selected": ["read_run_logs"]}),
            inside(403, 204, 403, 403),
        ),
        row("delete", "O/break-glass/{glass}", Value::Null, inside(403, 204, 204, 403)),
        get("O/audit", inside(403, 200, 403, 200)),
        get("O/audit/export", inside(403, 200, 403, 200)),
        get("O/audit/checkpoint", inside(403, 200, 403, 200)),
        get("O/audit/inclusion?number=0&size=1", inside(403, 200, 403, 200)),
        get("O/audit/consistency?earlier=1&size=1", inside(403, 200, 403, 200)),
        row("post", "O/audit/compare", json!({"checkpoint": "x"}), inside(403, 422, 403, 422)),
        get("/v1/audit", operators(200)),
        get("/v1/audit/export", operators(200)),
        get("/v1/audit/checkpoint", operators(200)),
        row("post", "/v1/audit/compare", json!({"checkpoint": "x"}), operators(422)),
        row("delete", "O/members/{user}", Value::Null, inside(403, 204, 403, 204)),
        row("post", "/v1/password", json!({"old": PASSWORD, "new": "another canary in a mine"}), people(204)),
        row("delete", "/v1/sessions", Value::Null, people(200)),
        row("post", "/v1/logout", Value::Null, people(204)),
    ]
}

#[test]
fn every_route_has_a_row_and_every_row_a_route() {
    let document: Value = serde_json::from_str(&document()).unwrap();
    let described: BTreeSet<(String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object().unwrap().keys().map(move |method| (method.clone(), path.clone()))
        })
        .collect();
    let bare = |path: &str| path.split('?').next().unwrap().to_owned();
    let rows: BTreeSet<(String, String)> =
        rows().iter().map(|(method, path, ..)| ((*method).to_owned(), bare(path))).collect();
    assert_eq!(described.difference(&rows).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "no row");
    assert_eq!(rows.difference(&described).collect::<Vec<_>>(), Vec::<&(String, String)>::new(), "no route");
}

/// What the rows act upon.
struct Props {
    organization: String,
    user: String,
    invitation: String,
    token: String,
    glass: String,
}

/// A world, what rows act upon, and the token of whoever asks.
async fn stage(who: &str) -> (World, Props, Option<String>) {
    let world = World::new().await;
    let cast = world.cast().await;
    let (admin, acme) = (&cast.admin, &cast.acme);
    let at = |rest: &str| format!("/v1/organizations/{acme}{rest}");
    let invite =
        |email: &str| world.post(&at("/invitations"), json!({"email": email, "role": "user"})).by(admin);
    let carl = world.join(&invite("carl@acme.example").await.text("/token")).await.text("/user");
    let invitation = invite("dora@acme.example").await.text("/id");
    let glass = world.post(&at("/break-glass"), json!({"reason": "ticket"})).by(&cast.operator).await;
    let (token, _) = world.token(admin, acme, &["read", "write", "run", "admin"]).await;
    let (spare, spare_id) = world.token(admin, acme, &["read"]).await;
    let props = Props {
        organization: acme.clone(),
        user: carl,
        invitation,
        token: spare_id.clone(),
        glass: glass.text("/id"),
    };
    let caller = match who {
        "nobody" => None,
        "foreign" => Some(cast.eve.clone()),
        "user" => Some(cast.user.clone()),
        "admin" => Some(cast.admin.clone()),
        "operator" => Some(cast.operator.clone()),
        "scope" => Some(world.token(admin, acme, &["run"]).await.0),
        "token" => Some(token),
        "expired session" => {
            world.clock.pass(2 * HOUR_MS);
            Some(cast.admin.clone())
        }
        "expired token" => {
            world.clock.pass(7 * DAY_MS);
            Some(token)
        }
        "revoked session" => {
            let session = world.log_in("ada@acme.example").await;
            assert_eq!(world.ask("DELETE", "/v1/sessions").by(admin).await.status(), 200);
            Some(session)
        }
        "revoked token" => {
            assert_eq!(
                world.ask("DELETE", &at(&format!("/tokens/{spare_id}"))).by(admin).await.status(),
                204
            );
            Some(spare)
        }
        "outside" => {
            let tag = world.get(&at("/zones")).by(admin).await.header("etag").unwrap().to_owned();
            let set = world.ask("PUT", &at("/zones")).by(admin).header("if-match", &tag);
            assert_eq!(set.json(&json!({"api": ["192.0.2.0/24"], "events": []})).await.status(), 200);
            Some(cast.admin.clone())
        }
        other => panic!("nobody is {other}"),
    };
    (world, props, caller)
}

async fn play(who: &str, pick: fn(&Expected) -> u16) {
    let (world, props, caller) = stage(who).await;
    let from = if who == "outside" { "198.51.100.9" } else { "192.0.2.1" };
    let mut wrong = Vec::new();
    for (method, template, body, expected) in rows() {
        let path = template
            .replace("{organization}", &props.organization)
            .replace("{user}", &props.user)
            .replace("{invitation}", &props.invitation)
            .replace("{token}", &props.token)
            .replace("{glass}", &props.glass)
            .replace("{session}", "ses_none");
        let ask = |method: &str| {
            let asking = world.ask(&method.to_uppercase(), &path).from(from);
            match &caller {
                Some(token) => asking.by(token),
                None => asking,
            }
        };
        let mut asking = ask(method);
        if ["put", "patch"].contains(&method) {
            let read = ask("get").await;
            asking = asking.header("if-match", read.header("etag").unwrap_or("\"x\""));
        }
        if !body.is_null() {
            asking = asking.json(&body);
        }
        let reply = asking.await;
        if reply.status() != pick(&expected) {
            let said = String::from_utf8_lossy(reply.bytes()).chars().take(160).collect::<String>();
            wrong.push(format!(
                "{who}: {method} {template}: {} for {}: {said}",
                reply.status(),
                pick(&expected)
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn who_shows_nothing_that_holds_is_let_in_nowhere() {
    for who in ["nobody", "expired session", "expired token", "revoked session", "revoked token"] {
        play(who, |expected| expected.nobody).await;
    }
}

#[tokio::test]
async fn members_of_another_organization_find_nothing() {
    play("foreign", |expected| expected.foreign).await;
}

#[tokio::test]
async fn users_do_what_users_may() {
    play("user", |expected| expected.user).await;
}

#[tokio::test]
async fn admins_do_what_admins_may() {
    play("admin", |expected| expected.admin).await;
}

#[tokio::test]
async fn operators_see_names_and_nothing_else() {
    play("operator", |expected| expected.operator).await;
}

#[tokio::test]
async fn tokens_do_what_their_scopes_say() {
    play("scope", |expected| expected.scope).await;
    play("token", |expected| expected.token).await;
}

#[tokio::test]
async fn from_outside_of_the_ranges_nobody_comes_in() {
    play("outside", |expected| expected.outside).await;
}
