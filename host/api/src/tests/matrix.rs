//! Every route of the description, by everybody who may ask. A route without a row fails, and so does a row without a
//! route.

mod connections;
mod events;
mod expected;
mod records;
mod rows;
mod syncs;

use super::shop::{SHOP, Shop};
use super::world::{Cast, DAY_MS, HOUR_MS, World};
use crate::document;
use expected::{Expected, Row};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// In this order, for each who asks: what takes something away comes last.
fn rows() -> Vec<Row> {
    [
        rows::of_people(),
        rows::of_organizations(),
        connections::of_connections(),
        records::of_records(),
        syncs::of_syncs(),
        events::of_events(),
        rows::of_audit_logs(),
        rows::of_ends(),
    ]
    .concat()
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
    digest: String,
    /// Of a connector that no connection uses.
    spare_digest: String,
    connection: String,
    source: String,
    destination: String,
    /// It has no run.
    sync: String,
    /// Of another sync.
    run: String,
    /// A sync that has an event endpoint.
    hook: String,
}

impl Props {
    /// What a row says, with the names of these.
    fn fill(&self, text: &str) -> String {
        let sync = if text.contains("/endpoint") { &self.hook } else { &self.sync };
        let named = [
            ("organization", self.organization.as_str()),
            ("user", &self.user),
            ("invitation", &self.invitation),
            ("token", &self.token),
            ("glass", &self.glass),
            ("digest", &self.digest),
            ("spare_digest", &self.spare_digest),
            ("connection", &self.connection),
            ("ask", "api"),
            ("source", &self.source),
            ("destination", &self.destination),
            ("sync", sync),
            ("run", &self.run),
            ("session", "ses_none"),
            ("number", "1"),
            ("error", "1-1"),
            ("group", "orders"),
        ];
        named.into_iter().fold(text.to_owned(), |text, (name, id)| text.replace(&format!("{{{name}}}"), id))
    }
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
    let works = world.works(&cast).await;
    let (sync, other) =
        (world.sync(admin, &works, json!({})).await, world.sync(admin, &works, json!({})).await);
    world.kept(acme, &sync).run(&[("a", "odd")]).await;
    let run = world.ask("POST", &works.at(&format!("/{other}/runs"))).by(admin).await.text("/run");
    let shop = Shop::open(&world, admin, acme).await;
    let spare_digest = world.install(admin, acme, &SHOP.replace("1.2.0", "1.2.1")).await;
    let (endpoint, hook) = world.hook(&cast).await;
    assert_eq!(world.ask("POST", &format!("{endpoint}/endpoint")).by(admin).await.status(), 201);
    let props = Props {
        organization: acme.clone(),
        user: carl,
        invitation,
        token: spare_id.clone(),
        glass: glass.text("/id"),
        digest: shop.digest,
        spare_digest,
        connection: shop.connection,
        source: works.source,
        destination: works.destination,
        sync,
        run,
        hook,
    };
    let caller = caller(who, (&world, &cast), (token, spare, &spare_id)).await;
    (world, props, caller)
}

/// The token of whoever asks; none: they have none. `spare` may be revoked.
async fn caller(
    who: &str,
    (world, cast): (&World, &Cast),
    (token, spare, spare_id): (String, String, &str),
) -> Option<String> {
    let (admin, acme) = (&cast.admin, &cast.acme);
    let at = |rest: &str| format!("/v1/organizations/{acme}{rest}");
    match who {
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
    }
}

async fn play(who: &str, pick: fn(&Expected) -> u16) {
    let (world, props, caller) = stage(who).await;
    let from = if who == "outside" { "198.51.100.9" } else { "192.0.2.1" };
    let mut wrong = Vec::new();
    for (method, template, body, expected) in rows() {
        let path = props.fill(&template);
        let ask = |method: &str, path: &str| {
            let asking = world.ask(&method.to_uppercase(), path).from(from);
            match &caller {
                Some(token) => asking.by(token),
                None => asking,
            }
        };
        let mut asking = ask(method, &path);
        if ["put", "patch"].contains(&method) {
            // What belongs to a connection is changed as the connection was read.
            let read = [path.find("/consent"), path.find("/credentials/")].into_iter().flatten().next();
            let read = ask("get", &path[..read.unwrap_or(path.len())]).await;
            asking = asking.header("if-match", read.header("etag").unwrap_or("\"x\""));
        }
        asking = match &body {
            Value::Null => asking,
            // A text is the bytes of a component.
            Value::String(component) => asking.wasm(component.clone()),
            body => asking.body(props.fill(&body.to_string())),
        };
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
