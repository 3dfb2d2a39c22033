//! An organization that has something to move.

use super::world::{Cast, World};
use control::ConnectionConfig;
use serde_json::{Value, json};

const SHOP: &str = r#"
manifest = 1
name = "shop"
publisher = "acme"
version = "1.2.0"
contract = "0.1.0"
roles = ["source", "destination"]
title = "Shop"
"#;

/// Two connections of an organization.
pub(crate) struct Works {
    pub(crate) source: String,
    pub(crate) destination: String,
    /// Where syncs are.
    pub(crate) path: String,
}

impl World {
    pub(crate) async fn works(&self, cast: &Cast) -> Works {
        let admin = self.get("/v1/me").by(&cast.admin).await.text("/user");
        let (acme, installation) = (cast.acme.as_str(), "a".repeat(64));
        self.parts.installations.install(&admin, acme, &installation, SHOP).await.unwrap();
        let connect = async |name: &str| {
            let (name, installation) = (name.to_owned(), installation.clone());
            let wanted = ConnectionConfig { name, installation, config: json!({}) };
            self.parts.connections.create(&admin, acme, wanted).await.unwrap().id
        };
        let (source, destination) = (connect("From").await, connect("To").await);
        Works { source, destination, path: format!("/v1/organizations/{acme}/syncs") }
    }

    /// A sync that was made with these parts beside its ends; answers its id.
    pub(crate) async fn sync(&self, by: &str, works: &Works, more: Value) -> String {
        let reply = self.post(&works.path, works.spec(more)).by(by).await;
        assert_eq!(reply.status(), 201, "{:?}", reply.bytes());
        reply.text("/id")
    }
}

impl Works {
    pub(crate) fn spec(&self, more: Value) -> Value {
        let mut spec = json!({"name": "Orders", "source": self.source, "destination": self.destination});
        let Value::Object(more) = more else { panic!("{more}") };
        spec.as_object_mut().unwrap().extend(more);
        spec
    }

    pub(crate) fn at(&self, rest: &str) -> String {
        format!("{}{rest}", self.path)
    }
}
