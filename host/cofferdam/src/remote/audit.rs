//! Audit logs of a server.

use std::io::Write;

use http::Method;

use super::call::Call;
use super::client::Wish;
use super::show;
use super::verb::Shows::List;
use super::verb::{Column, Verb, count, moment, plain, yes_no};
use crate::arguments::Server;
use crate::problem::{Problem, Problems};

const COLUMNS: &[Column] = &[
    count("NUMBER", "/number"),
    moment("AT", "/at_ms"),
    plain("ACT", "/act"),
    plain("BY", "/actor"),
    plain("OF", "/subject"),
    yes_no("REFUSED", "/was_refused"),
    plain("DETAILS", "/details"),
    plain("PERSONAL", "/personal/fields"),
];

static OF_ORGANIZATION: Verb = Verb::get("list", "/v1/organizations/{organization}/audit", "List entries")
    .shows(List("entries", COLUMNS));
static OF_INSTALLATION: Verb = Verb::get("list", "/v1/audit", "List entries").shows(List("entries", COLUMNS));

/// For the test that holds them against the description of the API.
#[cfg(test)]
pub(super) static VERBS: [&Verb; 2] = [&OF_ORGANIZATION, &OF_INSTALLATION];

/// The entries of a log.
pub(crate) fn audit_entries(of_installation: bool, limit: usize) -> Call {
    let verb = if of_installation { &OF_INSTALLATION } else { &OF_ORGANIZATION };
    Call { limit, ..Call::of(verb) }
}

/// Writes a whole log as the server exports it, which tells of that in the log.
pub(crate) async fn exported_audit(
    server: &Server,
    of_installation: bool,
    out: &mut (dyn Write + Send),
) -> Result<(), Problems> {
    let client = server.client()?;
    let path = if of_installation {
        "/v1/audit/export".to_owned()
    } else {
        format!("/v1/organizations/{}/audit/export", server.organization(&client).await?)
    };
    let answer = client.ask(&Wish::new(Method::GET, path)).await?;
    let copied = show::copied(&client, answer, &mut |part| out.write_all(part)).await?;
    Ok(copied.map_err(|error| Problem::output(&error))?)
}
