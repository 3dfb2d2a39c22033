//! A connector, and a connection of it.

use super::world::World;
use control::{CatalogField, CatalogStream};
use serde_json::json;

/// A source and destination with a host that comes from the configuration, and a credential for it. In these tests the text of
/// a manifest is the component.
pub(crate) const SHOP: &str = r#"
manifest = 1
name = "shop"
publisher = "acme"
version = "1.2.0"
contract = "0.1.0"
roles = ["source", "destination"]
title = "Shop"

[[asks.hosts]]
url = "https://${config.subdomain}.shop.example"

[[asks.credentials]]
name = "api"
kind = "bearer"
audience = [{ url = "https://${config.subdomain}.shop.example" }]

[[asks.directories]]
name = "data"
access = "read"
optional = true

[config]
type = "object"
required = ["subdomain"]
additionalProperties = false
properties.subdomain = { type = "string", minLength = 1 }
properties.page_size = { type = "integer", maximum = 500 }
"#;

/// An installed connector, a connection of it, and what was found there.
pub(crate) struct Shop {
    pub(crate) digest: String,
    pub(crate) connection: String,
}

impl Shop {
    pub(crate) async fn open(world: &World, by: &str, organization: &str) -> Self {
        let digest = world.install(by, organization, SHOP).await;
        let at = format!("/v1/organizations/{organization}/connections");
        let wish = json!({"name": "Shop", "digest": digest, "config": {"subdomain": "eu"}});
        let connection = world.post(&at, wish).by(by).await.text("/id");
        let field = |name: &str, data_type: &str| CatalogField {
            name: name.into(),
            data_type: data_type.into(),
            nullable: false,
        };
        let stream = |name: &str| CatalogStream {
            name: name.into(),
            group: name.into(),
            fields: vec![field("id", "int64"), field("total", "decimal")],
            key: vec!["id".into()],
            incremental: true,
        };
        *world.connectors.streams.lock().unwrap() = ["orders", "customers"].map(stream).into();
        let discovered = world.ask("POST", &format!("{at}/{connection}/discover")).by(by).await;
        assert_eq!(discovered.status(), 200);
        Self { digest, connection }
    }
}

impl World {
    /// Installs a connector, and answers its digest.
    pub(crate) async fn install(&self, by: &str, organization: &str, manifest: &str) -> String {
        let path = format!("/v1/organizations/{organization}/connectors");
        let installed = self.ask("POST", &path).by(by).wasm(manifest.to_owned()).await;
        assert_eq!(installed.status(), 201);
        installed.text("/digest")
    }
}
