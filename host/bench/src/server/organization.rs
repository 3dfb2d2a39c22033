//! The first operator, and organizations with an admin, a token for programs, connectors and connections: as in
//! `examples/server/story.sh`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::api::{Api, part, text};
use super::program::Program;

const PASSWORD: &str = "a canary bird in a coal mine";
const OPERATOR: &str = "op@host.example";

/// Who runs the installation.
pub(super) struct Operator {
    api: Api,
    components: PathBuf,
}

/// An organization. It is asked by its API token.
pub(super) struct Organization {
    pub(super) api: Api,
    /// `/v1/organizations/ID`.
    pub(super) at: String,
}

impl Operator {
    pub(super) async fn first(program: &Program, setup: &str, components: &Path) -> Result<Self> {
        let api = Api::new(&program.url);
        api.post("/v1/setup", &json!({ "token": setup, "email": OPERATOR, "password": PASSWORD })).await?;
        let api = api.with(&log_in(&api, OPERATOR).await?);
        Ok(Self { api, components: components.to_owned() })
    }

    pub(super) async fn organization(&self, name: &str) -> Result<Organization> {
        let email = format!("ada@{name}.example");
        let made = self.api.post("/v1/organizations", &json!({ "name": name, "admin_email": email })).await?;
        let at = format!("/v1/organizations/{}", text(part(&made, "organization")?, "id")?);
        let (nobody, token) = (self.api.with(""), text(part(&made, "invitation")?, "token")?);
        nobody.post("/v1/join", &json!({ "token": token, "password": PASSWORD })).await?;
        let admin = nobody.with(&log_in(&nobody, &email).await?);
        let wanted = json!({ "name": "bench", "scopes": ["read", "write", "run", "admin"], "days": 1 });
        let token = admin.post(&format!("{at}/tokens"), &wanted).await?;
        Ok(Organization { api: self.api.with(&text(&token, "token")?), at })
    }

    /// A connection of an organization with a connector of this name.
    pub(super) async fn connection(
        &self,
        of: &Organization,
        connector: &str,
        config: Value,
    ) -> Result<String> {
        let path = self.components.join(format!("{connector}.wasm"));
        let component =
            std::fs::read(&path).with_context(|| format!("failed to read `{}`", path.display()))?;
        let installed = of.api.upload(&format!("{}/connectors", of.at), component).await?;
        let digest = text(&installed, "digest")?;
        let wanted = json!({ "name": connector, "digest": digest, "config": config });
        let made = of.api.post(&format!("{}/connections", of.at), &wanted).await?;
        let id = text(&made, "id")?;
        // As people do; the component is compiled by that.
        of.api.post(&format!("{}/connections/{id}/check", of.at), &Value::Null).await?;
        Ok(id)
    }

    /// A source of ten rows and a destination that keeps none.
    pub(super) async fn ten_rows(&self, of: &Organization) -> Result<(String, String)> {
        let config = json!({ "streams": [{ "name": "people", "rows": ROWS }] });
        let source = self.connection(of, "faker", config).await?;
        of.api.post(&format!("{}/connections/{source}/discover", of.at), &Value::Null).await?;
        Ok((source, self.connection(of, "null", json!({})).await?))
    }
}

/// Rows of each run.
pub(super) const ROWS: u64 = 10;

async fn log_in(api: &Api, email: &str) -> Result<String> {
    let wanted = json!({ "email": email, "password": PASSWORD, "keep": "token" });
    text(&api.post("/v1/login", &wanted).await?, "token")
}
