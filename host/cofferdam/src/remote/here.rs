//! Commands of this machine that a server does too, where more than one request is asked for by one of them.

mod check;
mod connect;
mod credentials;
mod discover;
mod preview;

pub(crate) use check::check;
pub(crate) use connect::connect;
pub(crate) use credentials::{credentials, credentials_revoke, credentials_rotate};
pub(crate) use discover::discover;
pub(crate) use preview::preview;

use http::Method;
use serde_json::Value;

use super::Error;
use super::client::{Client, Wish};
use super::fill::{Names, path};
use super::look_up;
use crate::arguments::Server;
use crate::problem::Problems;

const CONNECTIONS: &str = "/v1/organizations/{organization}/connections";
const CONNECTION: &str = "/v1/organizations/{organization}/connections/{connection}";
const SYNCS: &str = "/v1/organizations/{organization}/syncs";

/// An organization of a server, and things in it that were named.
struct Place {
    client: Client,
    names: Names,
}

impl Place {
    async fn of(server: &Server) -> Result<Self, Problems> {
        let client = server.client()?;
        let organization = server.organization(&client).await?;
        Ok(Self { client, names: Names::from([("organization", organization)]) })
    }

    /// Finds what is called so, or the only one.
    async fn name(&mut self, what: &'static str, list: &str, said: Option<&str>) -> Result<(), Problems> {
        let id = look_up::id(&self.client, &path(list, &self.names), said, what).await?;
        self.names.insert(what, id);
        Ok(())
    }

    fn path(&self, words: &str) -> String {
        path(words, &self.names)
    }

    async fn ask(&self, method: Method, words: &str) -> Result<Value, Problems> {
        self.client.document(&Wish::new(method, self.path(words)).once()).await
    }
}

/// What a server is not told, because it has it from elsewhere.
fn unsaid(is_said: bool, what: &'static str, hint: &'static str) -> Result<(), Error> {
    if is_said { Err(Error::NotByAServer { what, hint }) } else { Ok(()) }
}

/// Lists within an answer.
fn items<'v>(document: &'v Value, at: &str) -> impl Iterator<Item = &'v Value> {
    document.pointer(at).and_then(Value::as_array).into_iter().flatten()
}

fn text<'v>(value: &'v Value, at: &str) -> &'v str {
    value.pointer(at).and_then(Value::as_str).unwrap_or_default()
}
