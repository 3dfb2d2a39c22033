//! Connectors, connections and credentials, from the upload to the end.

use super::asked::{Asking, Reply};
use super::shop::{SHOP, Shop};
use super::world::{Cast, World};
use crate::ports::{Blame, ConnectorFault};
use control::COMPONENT_BYTES_MAX;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// A world with a connection, as its admin reaches it.
pub(crate) struct Connected {
    pub(crate) world: World,
    pub(crate) cast: Cast,
    pub(crate) shop: Shop,
}

impl Connected {
    pub(crate) async fn new() -> Self {
        let world = World::new().await;
        let cast = world.cast().await;
        let shop = Shop::open(&world, &cast.admin, &cast.acme).await;
        Self { world, cast, shop }
    }

    pub(crate) fn at(&self, rest: &str) -> String {
        let rest = rest.replace("{c}", &format!("/connections/{}", self.shop.connection));
        format!("/v1/organizations/{}{rest}", self.cast.acme)
    }

    pub(crate) fn ask(&self, method: &str, rest: &str) -> Asking<'_> {
        self.world.ask(method, &self.at(rest)).by(&self.cast.admin)
    }

    pub(crate) async fn get(&self, rest: &str) -> Reply {
        self.ask("GET", rest).await
    }

    /// A change of what was just read.
    pub(crate) async fn put(&self, rest: &str, body: &Value) -> Reply {
        let tag = self.get("{c}").await.header("etag").unwrap().to_owned();
        self.ask("PUT", rest).header("if-match", &tag).json(body).await
    }

    fn wish(&self, config: &Value) -> Value {
        json!({"name": "Shop", "digest": self.shop.digest, "config": config})
    }
}

#[tokio::test]
async fn a_connector_is_installed_shown_and_taken_out() {
    let world = World::new().await;
    let cast = world.cast().await;
    let at = |rest: &str| format!("/v1/organizations/{}/connectors{rest}", cast.acme);
    let digest = world.install(&cast.admin, &cast.acme, SHOP).await;
    assert_eq!(world.install(&cast.admin, &cast.acme, SHOP).await, digest);
    let listed = world.get(&at("")).by(&cast.user).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert_eq!(listed["items"][0]["title"], "Shop");
    let found = world.get(&at(&format!("/{digest}"))).by(&cast.user).await.json();
    assert_eq!(found["asks"]["hosts"][0]["url"], "https://${config.subdomain}.shop.example");
    assert_eq!(
        found["asks"]["credentials"][0]["fields"],
        json!([{"name": "token", "secret": true, "optional": false}])
    );
    assert_eq!(found["config_schema"]["required"], json!(["subdomain"]));
    let stored = world.parts.components.get(&digest).await.unwrap();
    assert_eq!(stored, SHOP.as_bytes());
    assert_eq!(world.ask("DELETE", &at(&format!("/{digest}"))).by(&cast.admin).await.status(), 204);
    assert_eq!(world.get(&at(&format!("/{digest}"))).by(&cast.admin).await.refusal(), (404, "CD1253".into()));
    assert!(!world.parts.components.has(&digest).await.unwrap());
}

#[tokio::test]
async fn an_upload_that_is_refused_leaves_nothing() {
    let world = World::new().await;
    let cast = world.cast().await;
    let path = format!("/v1/organizations/{}/connectors", cast.acme);
    let send = |bytes: Vec<u8>| world.ask("POST", &path).by(&cast.admin).wasm(bytes);
    let too_large = vec![b'x'; COMPONENT_BYTES_MAX + 1];
    assert_eq!(send(too_large).await.refusal(), (413, "CD1312".into()));
    assert_eq!(world.post(&path, json!({})).by(&cast.admin).await.refusal(), (415, "CD1333".into()));
    // The manifest is judged when it is installed, and the component was kept before.
    let wrong = SHOP.replace("1.2.0", "one");
    let digest: String = Sha256::digest(&wrong).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(send(wrong.into_bytes()).await.refusal(), (422, "CD1256".into()));
    assert!(!world.parts.components.has(&digest).await.unwrap());
    assert_eq!(world.get(&path).by(&cast.admin).await.json()["items"], json!([]));
    // Larger than any other body, and with a key of its own that needs no remembering.
    let large = [SHOP.as_bytes(), &[0; 2 << 20]].concat();
    assert_eq!(send(large).header("idempotency-key", "k").await.status(), 201);
    // Nobody's bytes are read who may not install.
    let endless = vec![b'x'; COMPONENT_BYTES_MAX * 2];
    let by_user = world.ask("POST", &path).by(&cast.user).wasm(endless).await;
    assert_eq!(by_user.refusal(), (403, "CD1242".into()));
}

#[tokio::test]
async fn as_many_uploads_as_there_is_room_for_and_no_more() {
    let world = World::new().await;
    let cast = world.cast().await;
    let held = world.house.uploads.acquire_many(4).await.unwrap();
    let path = format!("/v1/organizations/{}/connectors", cast.acme);
    let refused = world.ask("POST", &path).by(&cast.admin).wasm(SHOP).await;
    assert_eq!(refused.refusal(), (503, "CD1334".into()));
    assert_eq!(refused.header("retry-after"), Some("1"));
    drop(held);
    world.install(&cast.admin, &cast.acme, SHOP).await;
}

#[tokio::test]
async fn every_fault_of_a_configuration_is_told_at_its_place() {
    let shop = Connected::new().await;
    let wrong = shop.wish(&json!({"subdomian": "eu", "page_size": 900}));
    let judged = shop.ask("POST", "/connections/validate").json(&wrong).await.json();
    assert_eq!(judged["is_valid"], false);
    let places: Vec<&str> =
        judged["faults"].as_array().unwrap().iter().map(|fault| fault["path"].as_str().unwrap()).collect();
    assert!(places.contains(&"/page_size") && places.contains(&""), "{judged}");
    let refused = shop.ask("POST", "/connections").json(&wrong).await;
    assert_eq!(refused.refusal(), (422, "CD1258".into()));
    for part in ["/page_size: ", "`subdomain` is missing", "did you mean `subdomain`?"] {
        assert!(refused.text("/message").contains(part), "{}", refused.text("/message"));
    }
    let right = shop.wish(&json!({"subdomain": "eu"}));
    let judged = shop.ask("POST", "/connections/validate").json(&right).await.json();
    assert_eq!(judged, json!({"is_valid": true, "faults": []}));
    assert_eq!(shop.get("/connections").await.json()["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn an_authority_of_a_connections_own_is_granted_and_kept_beside_its_credentials() {
    let shop = Connected::new().await;
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem();
    let granted = json!({"hosts": [{"url": "https://eu.shop.example"}], "authority": authority});
    let consented = shop.put("{c}/consent", &granted).await;
    assert_eq!((consented.status(), consented.text("/consent/authority")), (200, authority.clone()));
    shop.put("{c}/credentials/api", &json!({"fields": {"token": "canary-4711"}})).await;
    let owner = shop.world.parts.organizations.owner(&shop.cast.acme);
    let kept = shop.world.parts.records.of(&owner).credentials().await.unwrap();
    assert_eq!(
        kept[0].settings["authority"],
        authority.as_str(),
        "whoever renews it later goes the same way"
    );
    // What is not named is not granted.
    let without = shop.put("{c}/consent", &json!({"hosts": [{"url": "https://eu.shop.example"}]})).await;
    assert_eq!(without.json()["consent"].get("authority"), None);
}

#[tokio::test]
async fn a_directory_is_granted_by_its_name_and_nobody_is_told_where_it_lies() {
    let shop = Connected::new().await;
    let offered = shop.get("/directories").await;
    let expected = json!({"items": [{"name": "imports", "access": "read", "is_shared": false}]});
    assert_eq!((offered.status(), offered.json()), (200, expected));
    let granted = json!({"directory": "imports", "below": "daily", "access": "read"});
    let consented = shop.put("{c}/consent", &json!({"directories": {"data": granted}})).await;
    assert_eq!(consented.status(), 200);
    let shown = shop.get("{c}").await;
    assert_eq!(shown.json()["consent"]["directories"], json!({"data": granted}));
    assert_eq!(shown.json()["asks"]["directories"][0]["name"], "data");
    for answer in [&offered, &consented, &shown] {
        assert!(!String::from_utf8_lossy(answer.bytes()).contains("canary-4712"));
    }
    assert_eq!(shop.put("{c}/consent", &json!({})).await.json().get("consent"), None);
}

#[tokio::test]
async fn a_host_that_is_changed_is_not_granted_and_wants_its_credential_again() {
    let shop = Connected::new().await;
    let granted = json!({"hosts": [{"url": "https://eu.shop.example"}]});
    let consented = shop.put("{c}/consent", &granted).await;
    assert_eq!(consented.status(), 200);
    assert_eq!(consented.json()["consent"]["hosts"][0]["url"], "https://eu.shop.example");
    let fields = json!({"fields": {"token": "canary-4711"}});
    let entered = shop.put("{c}/credentials/api", &fields).await;
    assert_eq!((entered.status(), entered.json()), (200, json!({"is_ready": true})));
    let states = |reply: &Reply| {
        let json = reply.json();
        (
            json["consent_is_current"].as_bool().unwrap(),
            json["credentials"][0]["is_current"].as_bool().unwrap(),
        )
    };
    assert_eq!(states(&shop.get("{c}").await), (true, true));
    let moved = shop.put("{c}", &shop.wish(&json!({"subdomain": "us"}))).await;
    assert_eq!((moved.status(), states(&moved)), (200, (false, false)));
    let back = shop.put("{c}", &shop.wish(&json!({"subdomain": "eu"}))).await;
    assert_eq!(states(&back), (true, true));
    assert_eq!(shop.ask("DELETE", "{c}/consent").await.status(), 204);
    assert_eq!(shop.get("{c}").await.json().get("consent"), None);

    let revoked = shop.ask("DELETE", "{c}/credentials/api").await;
    assert_eq!((revoked.status(), revoked.json()), (200, json!({"provider_told": false})));
    assert_eq!(shop.world.providers.given_back.lock().unwrap().len(), 1);
    assert_eq!(shop.ask("DELETE", "{c}/credentials/api").await.refusal(), (404, "CD1062".into()));
    assert_eq!(shop.get("{c}").await.json()["credentials"][0].get("entered_by"), None);
}

#[tokio::test]
async fn a_connection_that_is_deleted_takes_its_credentials_along() {
    let shop = Connected::new().await;
    assert_eq!(
        shop.put("{c}/credentials/api", &json!({"fields": {"token": "canary-4711"}})).await.status(),
        200
    );
    let records = shop.world.parts.records.of(&shop.world.parts.organizations.owner(&shop.cast.acme));
    assert_eq!(records.credentials().await.unwrap().len(), 1);
    let fault = ConnectorFault {
        blame: Blame::System,
        code: "CD0847".into(),
        message: "it answers 503".into(),
        hint: String::new(),
        retry_after_ms: None,
    };
    // That its provider does not answer keeps nothing here.
    *shop.world.providers.fault.lock().unwrap() = Some(fault);
    assert_eq!(shop.ask("DELETE", "{c}").await.status(), 204);
    assert_eq!(records.credentials().await.unwrap(), []);
    assert_eq!(shop.get("{c}").await.refusal(), (404, "CD1253".into()));
}

#[tokio::test]
async fn what_is_at_the_other_end_is_looked_at_and_kept() {
    let shop = Connected::new().await;
    assert_eq!(shop.ask("POST", "{c}/check").await.status(), 204);
    let (mut names, mut query) = (Vec::new(), "?limit=1".to_owned());
    loop {
        let found = shop.get(&format!("{{c}}/catalog{query}")).await.json();
        names.push(found["streams"]["items"][0]["name"].as_str().unwrap().to_owned());
        let Some(next) = found["streams"]["next"].as_str() else { break };
        query = format!("?limit=1&cursor={next}");
    }
    assert_eq!(names, ["orders", "customers"]);
    let fault = ConnectorFault {
        blame: Blame::System,
        code: "CD0601".into(),
        message: "it does not answer".into(),
        hint: "wait".into(),
        retry_after_ms: Some(2_000),
    };
    *shop.world.connectors.fault.lock().unwrap() = Some(fault);
    for rest in ["{c}/check", "{c}/discover"] {
        let refused = shop.ask("POST", rest).await;
        assert_eq!(refused.refusal(), (502, "CD0601".into()));
        assert_eq!(
            (refused.text("/message"), refused.header("retry-after")),
            ("it does not answer".into(), Some("2"))
        );
    }
    assert_eq!(shop.get("{c}/catalog").await.status(), 200);
    let other =
        shop.ask("POST", "/connections").json(&shop.wish(&json!({"subdomain": "eu"}))).await.text("/id");
    let none = shop.get(&format!("/connections/{other}/catalog")).await;
    assert_eq!(none.refusal(), (404, "CD1253".into()));
}
