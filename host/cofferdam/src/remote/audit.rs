//! Audit logs of a server.

use std::io::Write;

use http::Method;

use super::call::Call;
use super::client::Wish;
use super::show;
use super::verb::Kind::{Number, Text};
#[cfg(test)]
use super::verb::Shows::Raw;
use super::verb::Shows::{List, One};
use super::verb::{Column, Take, Verb, asked, count, member, moment, plain, yes_no};
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

static SIGNED: &[Column] = &[plain("CHECKPOINT", "/checkpoint"), plain("KEY", "/key")];
static COMPARED: &[Column] =
    &[plain("RESULT", "/result"), count("REMEMBERED", "/remembered"), count("ENTRIES", "/entries")];
static PROOF: &[Column] = &[count("SIZE", "/size"), plain("PATH", "/path")];

const KEPT: Take = member("checkpoint", Text, "The checkpoint").needed();
const SIZE: Take = asked("size", Number, "How many entries");

static CHECKPOINT: Verb =
    Verb::get("checkpoint", "/v1/organizations/{organization}/audit/checkpoint", "").shows(One(SIGNED));
static CHECKPOINT_OF_INSTALLATION: Verb =
    Verb::get("checkpoint", "/v1/audit/checkpoint", "").shows(One(SIGNED));
static COMPARE: Verb = Verb::post("compare", "/v1/organizations/{organization}/audit/compare", "")
    .takes(&[KEPT])
    .shows(One(COMPARED));
static COMPARE_OF_INSTALLATION: Verb =
    Verb::post("compare", "/v1/audit/compare", "").takes(&[KEPT]).shows(One(COMPARED));
static INCLUSION: Verb = Verb::get("inclusion", "/v1/organizations/{organization}/audit/inclusion", "")
    .takes(&[asked("number", Number, "The entry"), SIZE])
    .shows(One(PROOF));
static CONSISTENCY: Verb = Verb::get("consistency", "/v1/organizations/{organization}/audit/consistency", "")
    .takes(&[asked("earlier", Number, "How many entries there were"), SIZE])
    .shows(One(PROOF));
/// Written as they come, by `exported_audit`.
#[cfg(test)]
static EXPORT: Verb = Verb::get("export", "/v1/organizations/{organization}/audit/export", "").shows(Raw);
#[cfg(test)]
static EXPORT_OF_INSTALLATION: Verb = Verb::get("export", "/v1/audit/export", "").shows(Raw);

/// For the test that holds them against the description of the API.
#[cfg(test)]
pub(super) static VERBS: [&Verb; 10] = [
    &OF_ORGANIZATION,
    &OF_INSTALLATION,
    &CHECKPOINT,
    &CHECKPOINT_OF_INSTALLATION,
    &COMPARE,
    &COMPARE_OF_INSTALLATION,
    &INCLUSION,
    &CONSISTENCY,
    &EXPORT,
    &EXPORT_OF_INSTALLATION,
];

/// Signs how far a log has come.
pub(crate) fn audit_checkpoint(of_installation: bool) -> Call {
    Call::of(if of_installation { &CHECKPOINT_OF_INSTALLATION } else { &CHECKPOINT })
}

/// Holds a log against a checkpoint.
pub(crate) fn audit_compare(of_installation: bool, checkpoint: String) -> Call {
    let verb = if of_installation { &COMPARE_OF_INSTALLATION } else { &COMPARE };
    Call::of(verb).with("checkpoint", checkpoint)
}

/// Proves that an entry is in a log.
pub(crate) fn audit_inclusion(number: u64, size: u64) -> Call {
    Call::of(&INCLUSION).with("number", number).with("size", size)
}

/// Proves that a log begins with an earlier one.
pub(crate) fn audit_consistency(earlier: u64, size: u64) -> Call {
    Call::of(&CONSISTENCY).with("earlier", earlier).with("size", size)
}

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
