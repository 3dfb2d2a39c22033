//! Users who consent at a provider: sent there, and back with a code, once, in time, and by the same browser.

use super::asked::Reply;
use super::world::{Cast, World};
use crate::ports::{Blame, ConnectorFault};
use serde_json::json;

const MAIL: &str = r#"
manifest = 1
name = "mail"
publisher = "acme"
version = "1.0.0"
contract = "0.1.0"
roles = ["source"]
title = "Mail"

[[asks.hosts]]
url = "https://${config.region}.mail.example"

[[asks.credentials]]
name = "account"
kind = "oauth2"
grant = "authorization-code"
authorize_url = "https://id.mail.example/authorize"
token_url = "https://id.mail.example/token"
issuer = "https://id.mail.example"
audience = [{ url = "https://${config.region}.mail.example" }]

[config]
type = "object"
properties.region = { type = "string" }
"#;

/// A connection whose credential a user consents to.
struct Mailbox {
    world: World,
    cast: Cast,
    at: String,
}

/// What the browser has from the beginning of a consent.
struct Begun {
    state: String,
    cookie: String,
}

impl Mailbox {
    async fn new() -> Self {
        let world = World::new().await;
        let cast = world.cast().await;
        let digest = world.install(&cast.admin, &cast.acme, MAIL).await;
        let path = format!("/v1/organizations/{}/connections", cast.acme);
        let wish = json!({"name": "Mail", "digest": digest, "config": {"region": "eu"}});
        let id = world.post(&path, wish).by(&cast.user).await.text("/id");
        Self { at: format!("{path}/{id}"), world, cast }
    }

    /// With the fields of the client entered.
    async fn entered() -> Self {
        let mailbox = Self::new().await;
        let entered = mailbox.enter().await;
        assert_eq!((entered.status(), entered.json()), (200, json!({"is_ready": false})));
        mailbox
    }

    async fn enter(&self) -> Reply {
        let fields = json!({"fields": {"client_id": "us", "client_secret": "CANARY-client-4711"}});
        let tag = self.world.get(&self.at).by(&self.cast.user).await.header("etag").unwrap().to_owned();
        let path = format!("{}/credentials/account", self.at);
        self.world.ask("PUT", &path).by(&self.cast.user).header("if-match", &tag).json(&fields).await
    }

    async fn authorize(&self, by: &str) -> Reply {
        self.world.ask("POST", &format!("{}/credentials/account/authorize", self.at)).by(by).await
    }

    async fn begin(&self) -> Begun {
        let begun = self.authorize(&self.cast.user).await;
        assert_eq!(begun.status(), 200, "{:?}", begun.bytes());
        let url = begun.text("/url");
        assert!(url.contains("redirect=http://cofferdam.test/v1/oauth/callback"), "{url}");
        let cookie = begun.header("set-cookie").unwrap();
        for part in ["__Host-", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        let state = url.split_once("state=").unwrap().1.to_owned();
        Begun { state, cookie: cookie.split(';').next().unwrap().to_owned() }
    }

    async fn end(&self, begun: &Begun, rest: &str) -> Reply {
        let path = format!("/v1/oauth/callback?state={}{rest}", begun.state);
        self.world.get(&path).header("cookie", &begun.cookie).await
    }

    async fn is_entered(&self) -> bool {
        let shown = self.world.get(&self.at).by(&self.cast.user).await.json();
        shown["credentials"][0]["is_current"] == true
    }
}

#[tokio::test]
async fn a_user_consents_and_the_tokens_are_kept_for_the_connection() {
    let mailbox = Mailbox::entered().await;
    assert!(!mailbox.is_entered().await);
    let begun = mailbox.begin().await;
    let ended = mailbox.end(&begun, "&code=c1&iss=https://id.mail.example/&session_state=x").await;
    assert_eq!(ended.status(), 200, "{:?}", ended.bytes());
    assert_eq!(ended.header("referrer-policy"), Some("no-referrer"));
    assert!(ended.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert!(mailbox.is_entered().await);
    let owner = mailbox.world.parts.organizations.owner(&mailbox.cast.acme);
    let records = mailbox.world.parts.records.of(&owner);
    let kept = records.credentials().await.unwrap().remove(0);
    let opened = records.open_credential(&kept.name).await.unwrap();
    let secret = |name: &str| String::from_utf8(opened.secret[name].expose().to_vec()).unwrap();
    assert_eq!(secret("access_token"), "CANARY-access c1 CANARY-verifier");
    assert_eq!(secret("client_secret"), "CANARY-client-4711");
    assert!(kept.expires_ms.is_some());
    // Its client is entered anew: the tokens of the former are gone, and that is seen.
    assert_eq!(mailbox.enter().await.status(), 200);
    assert!(!mailbox.is_entered().await);
}

#[tokio::test]
async fn an_answer_is_taken_once_in_time_and_from_who_was_sent() {
    let mailbox = Mailbox::entered().await;
    let refused = (404, "CD1336".to_owned());
    let begun = mailbox.begin().await;
    let other = mailbox.begin().await;
    let of_other_browser = Begun { state: begun.state.clone(), cookie: other.cookie.clone() };
    assert_eq!(mailbox.end(&of_other_browser, "&code=c").await.refusal(), refused);
    // Whoever came with another browser has spent it.
    assert_eq!(mailbox.end(&begun, "&code=c").await.refusal(), refused);
    assert_eq!(mailbox.end(&other, "&code=c").await.status(), 200);
    assert_eq!(mailbox.end(&other, "&code=c").await.refusal(), refused);
    for rest in ["", "&code=", "&code=c&code=d", "&state=x&code=c", "&code=c&error=access_denied"] {
        let begun = mailbox.begin().await;
        assert_eq!(mailbox.end(&begun, rest).await.refusal(), refused, "{rest}");
    }
    for path in ["/v1/oauth/callback", "/v1/oauth/callback?state=x&code=c", "/v1/oauth/callback?code=c"] {
        assert_eq!(mailbox.world.get(path).await.refusal(), refused, "{path}");
    }
    // A browser that shows nothing was sent by a command: the answer waits for the session that began it.
    let begun = mailbox.begin().await;
    let path = format!("/v1/oauth/callback?state={}&code=c", begun.state);
    assert_eq!(mailbox.world.get(&path).await.refusal(), refused);
    assert_eq!(mailbox.world.get(&path).by(&mailbox.cast.user).await.status(), 200);
    assert_eq!(mailbox.world.get(&path).by(&mailbox.cast.user).await.refusal(), refused);
    // By the session itself, where there is no browser.
    let begun = mailbox.begin().await;
    let path = format!("/v1/oauth/callback?state={}&code=c", begun.state);
    assert_eq!(mailbox.world.get(&path).by(&mailbox.cast.admin).await.refusal(), refused);
    let begun = mailbox.begin().await;
    let path = format!("/v1/oauth/callback?state={}&code=c", begun.state);
    assert_eq!(mailbox.world.get(&path).by(&mailbox.cast.user).await.status(), 200);
}

#[tokio::test]
async fn who_has_gone_meanwhile_enters_nothing() {
    let mailbox = Mailbox::entered().await;
    let begun = mailbox.begin().await;
    assert_eq!(mailbox.world.ask("POST", "/v1/logout").by(&mailbox.cast.user).await.status(), 204);
    assert_eq!(mailbox.end(&begun, "&code=c").await.refusal(), (401, "CD1310".into()));
}

#[tokio::test]
async fn nothing_is_kept_of_another_provider_another_host_or_a_refusal() {
    let mailbox = Mailbox::entered().await;
    let begun = mailbox.begin().await;
    let answered = mailbox.end(&begun, "&code=c&iss=https://evil.example").await;
    assert_eq!(answered.refusal(), (422, "CD1337".into()));
    let begun = mailbox.begin().await;
    let refused = mailbox.end(&begun, "&error=CANARY").await;
    assert_eq!(refused.refusal(), (422, "CD1337".into()));
    assert!(!refused.text("/message").contains("CANARY"));
    let begun = mailbox.begin().await;
    *mailbox.world.providers.fault.lock().unwrap() = Some(ConnectorFault {
        blame: Blame::System,
        code: "CD0847".into(),
        message: "it answers `invalid_grant`".into(),
        hint: String::new(),
        retry_after_ms: None,
    });
    assert_eq!(mailbox.end(&begun, "&code=c").await.refusal(), (502, "CD0847".into()));
    *mailbox.world.providers.fault.lock().unwrap() = None;
    // The connection goes elsewhere now: what was entered for it is used for nothing, and so is a consent.
    let begun = mailbox.begin().await;
    let shown = mailbox.world.get(&mailbox.at).by(&mailbox.cast.user).await;
    let wish = json!({"name": "Mail", "digest": shown.text("/digest"), "config": {"region": "us"}});
    let tag = shown.header("etag").unwrap();
    let moved = mailbox.world.ask("PUT", &mailbox.at).by(&mailbox.cast.user).header("if-match", tag);
    assert_eq!(moved.json(&wish).await.status(), 200);
    assert_eq!(mailbox.end(&begun, "&code=c").await.refusal(), (409, "CD1067".into()));
    assert_eq!(mailbox.authorize(&mailbox.cast.user).await.refusal(), (409, "CD1067".into()));
    assert!(!mailbox.is_entered().await);
}

#[tokio::test]
async fn only_a_person_who_entered_the_client_is_sent_anywhere() {
    let mailbox = Mailbox::new().await;
    let early = mailbox.authorize(&mailbox.cast.user).await;
    assert_eq!(early.refusal(), (422, "CD1335".into()));
    assert!(early.text("/message").contains("`client_id`: it is missing"), "{}", early.text("/message"));
    let (token, _) = mailbox.world.token(&mailbox.cast.user, &mailbox.cast.acme, &["write"]).await;
    assert_eq!(mailbox.authorize(&token).await.refusal(), (403, "CD1242".into()));
    assert_eq!(mailbox.authorize(&mailbox.cast.operator).await.refusal(), (403, "CD1242".into()));
    assert_eq!(mailbox.authorize(&mailbox.cast.eve).await.refusal(), (404, "CD1240".into()));
}
