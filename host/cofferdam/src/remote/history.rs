//! What runs at a server have kept: the same commands as for a data directory, asked of the server.

use pipeline::model::Condition;
use serde_json::{Value, json};

use super::Error;
use super::call::Call;
use super::families::{LIVE, SYNC};
use super::verb::Kind::{Again, Flag, Number, Text, Texts};
use super::verb::Shows::{Done, List, One, Raw};
use super::verb::{Column, Take, Verb, asked, count, duration, member, moment, of, plain, yes_no};
use crate::arguments::{
    CheckpointsEdit, CheckpointsReset, CheckpointsShow, ErrorsDelete, ErrorsExport, ErrorsList, ErrorsShow,
    Filters, OneRun, Reprocess, RowFilters, RunsList, RunsWatch, State,
};
use crate::named::ErrorName;

const RUNS: &str = "/v1/organizations/{organization}/syncs/{sync}/runs";
const RUN_PATH: &str = "/v1/organizations/{organization}/syncs/{sync}/runs/{number}";
const ERRORS: &str = "/v1/organizations/{organization}/syncs/{sync}/errors";
const GROUP: &str = "/v1/organizations/{organization}/syncs/{sync}/checkpoints/groups/{group}";

const RUN: Take = of("number", "The run");
const OF_RUN: Take = asked("run", Number, "Of this run");
const OF_STREAM: Take = asked("stream", Text, "Of this stream");
const WITH_CODE: Take = asked("code", Text, "With this code");
const IN_STATE: Take = asked("state", Text, "In this state");
const WITH_IDS: Take = asked("ids", Texts, "With these ids");

const CHOICE: &str = "leave it out, and choose by run, stream, one code, state or ids";

static RUNS_LIST: Verb = Verb::get("runs list", RUNS, "").takes(&[SYNC]).shows(List("runs", LINES));
static RUN_SHOW: Verb = Verb::get("runs show", RUN_PATH, "").takes(&[SYNC, RUN]).shows(One(WHOLE));
static RUN_LOGS: Verb =
    Verb::get("runs logs", "/v1/organizations/{organization}/syncs/{sync}/runs/{number}/log", "")
        .takes(&[SYNC, RUN])
        .shows(List("lines", LOG));
static ERRORS_LIST: Verb = Verb::get("errors list", ERRORS, "")
    .takes(&[SYNC, OF_RUN, OF_STREAM, WITH_CODE, IN_STATE, WITH_IDS])
    .shows(List("errors", ROWS));
static ERROR_SHOW: Verb =
    Verb::get("errors show", "/v1/organizations/{organization}/syncs/{sync}/errors/{error}", "")
        .takes(&[SYNC, of("error", "Its id")])
        .shows(One(ROW));
static ERRORS_EXPORT: Verb =
    Verb::get("errors export", "/v1/organizations/{organization}/syncs/{sync}/errors/export", "")
        .takes(&[SYNC, OF_RUN, OF_STREAM, WITH_CODE, IN_STATE, WITH_IDS])
        .shows(Raw);
static ERRORS_DELETE: Verb = Verb::delete("errors delete", ERRORS, "")
    .takes(&[SYNC, OF_RUN, OF_STREAM, WITH_CODE, IN_STATE, WITH_IDS, asked("all", Flag, "All of them")])
    .asks("The rejected rows are deleted, and what they held is erased.")
    .shows(One(&[count("DELETED", "/deleted")]));
static CHECKPOINTS_SHOW: Verb =
    Verb::get("checkpoints show", "/v1/organizations/{organization}/syncs/{sync}/checkpoints", "")
        .takes(&[SYNC])
        .shows(List("positions", POSITIONS));
static CHECKPOINT_EDIT: Verb = Verb::new("checkpoints edit", http::Method::PUT, GROUP, "")
    .takes(&[
        SYNC,
        of("group", "The read group"),
        member("position", Text, "The position").needed(),
        member("confirm", Again("sync"), "").needed(),
    ])
    .of_what_was_read()
    .asks("The next run of {sync} goes on from what was said.")
    .shows(Done("the position of `{group}` is set"));
static CHECKPOINTS_RESET: Verb =
    Verb::post("checkpoints reset", "/v1/organizations/{organization}/syncs/{sync}/checkpoints/reset", "")
        .takes(&[
            SYNC,
            member("group", Text, "The read group"),
            member("stream", Text, "The stream"),
            member("all", Flag, "All of them"),
            member("confirm", Again("sync"), "").needed(),
        ])
        .asks("The next run of {sync} begins anew.")
        .shows(One(&[plain("RESET", "/reset")]));
static REPROCESS: Verb =
    Verb::post("reprocess", "/v1/organizations/{organization}/syncs/{sync}/reprocess", "")
        .takes(&[
            SYNC,
            member("run", Number, "The run"),
            member("stream", Text, "The stream"),
            member("codes", Texts, "The codes"),
            member("where", Texts, "What its row meets"),
            member("ids", Texts, "The ids"),
            member("force", Flag, "Also superseded rows"),
        ])
        .shows(One(SENT))
        .note("`cofferdam syncs queue` shows how far it is");

/// For the test that holds them against the description of the API.
#[cfg(test)]
pub(super) static VERBS: [&Verb; 11] = [
    &RUNS_LIST,
    &RUN_SHOW,
    &RUN_LOGS,
    &ERRORS_LIST,
    &ERROR_SHOW,
    &ERRORS_EXPORT,
    &ERRORS_DELETE,
    &CHECKPOINTS_SHOW,
    &CHECKPOINT_EDIT,
    &CHECKPOINTS_RESET,
    &REPROCESS,
];

const LINES: &[Column] = &[
    plain("RUN", "/run"),
    moment("BEGAN", "/started_ms"),
    duration("TOOK", "/duration_ms"),
    plain("ENDED", "/outcome"),
    count("READ", "/rows/read"),
    count("ACCEPTED", "/rows/accepted"),
    count("REJECTED", "/rows/rejected"),
    count("FILTERED", "/rows/filtered"),
    plain("CODE", "/error"),
    plain("REPROCESSES", "/reprocesses"),
];

const WHOLE: &[Column] = &[
    plain("RUN", "/run"),
    plain("PURPOSE", "/purpose"),
    plain("REPROCESSES", "/reprocesses"),
    moment("BEGAN", "/started_ms"),
    duration("TOOK", "/duration_ms"),
    plain("ENDED", "/outcome"),
    plain("CODE", "/error"),
    count("READ", "/rows/read"),
    count("ACCEPTED", "/rows/accepted"),
    count("REJECTED", "/rows/rejected"),
    count("FILTERED", "/rows/filtered"),
    plain("WRITTEN", "/written"),
    plain("GROUPS", "/groups"),
    plain("TAKEN BACK", "/taken_back"),
    plain("NOTES", "/notes"),
];

const LOG: &[Column] = &[
    moment("AT", "/at_ms"),
    plain("CONNECTOR", "/connector"),
    plain("LEVEL", "/level"),
    plain("TEXT", "/text"),
];

const ROWS: &[Column] = &[
    plain("ID", "/id"),
    plain("STREAM", "/stream"),
    plain("OPERATION", "/operation"),
    plain("CODE", "/code"),
    plain("STATE", "/state"),
    count("TRIES", "/tries"),
    moment("REJECTED", "/created_ms"),
    moment("EXPIRES", "/expires_ms"),
];

const ROW: &[Column] = &[
    plain("ID", "/id"),
    plain("STREAM", "/stream"),
    plain("CODE", "/code"),
    plain("BY", "/by"),
    plain("MESSAGE", "/message"),
    plain("FIELDS", "/fields"),
    plain("STATE", "/state"),
    plain("ROW", "/row"),
    plain("RAW", "/raw"),
    plain("WITHOUT ROW", "/without_row"),
    moment("REJECTED", "/created_ms"),
    moment("EXPIRES", "/expires_ms"),
];

pub(super) const POSITIONS: &[Column] = &[
    plain("GROUP", "/group"),
    plain("POSITION", "/position"),
    yes_no("COMPLETE", "/complete"),
    count("COMMITS", "/commits"),
    plain("RUN", "/run"),
    plain("IN DOUBT", "/in_doubt"),
];

const SENT: &[Column] = &[
    plain("RUN", "/run"),
    plain("OF RUN", "/of_run"),
    count("ROWS", "/rows"),
    count("SUPERSEDED", "/superseded"),
    count("WITHOUT ROW", "/kept_without_row"),
];

pub(crate) fn runs(command: &RunsList) -> Call {
    Call::of(&RUNS_LIST).with_some("sync", command.sync.clone()).at_most(command.limit)
}

pub(crate) fn run(command: &OneRun) -> Call {
    of_run(&RUN_SHOW, command)
}

pub(crate) fn run_logs(command: &OneRun) -> Call {
    of_run(&RUN_LOGS, command)
}

/// Until a run ends, or for ever.
pub(crate) fn watched(command: &RunsWatch) -> Call {
    static WATCH: Verb = LIVE;
    Call::of(&WATCH)
        .with_some("sync", command.sync.clone())
        .with_some("until_ended", command.until_ended.then_some(true))
}

fn of_run(verb: &'static Verb, command: &OneRun) -> Call {
    Call::of(verb).with_some("sync", command.run.sync.clone()).with("number", command.run.run)
}

pub(crate) fn row_errors(command: &ErrorsList) -> Result<Call, Error> {
    let call = filtered(Call::of(&ERRORS_LIST), command.sync.as_ref(), &command.filters)?;
    Ok(call.at_most(command.limit))
}

pub(crate) fn row_error(command: &ErrorsShow) -> Call {
    let ErrorName { sync, id } = &command.id;
    Call::of(&ERROR_SHOW).with_some("sync", sync.clone()).with("error", id.to_string())
}

pub(crate) fn row_errors_export(command: &ErrorsExport) -> Result<Call, Error> {
    filtered(Call::of(&ERRORS_EXPORT), command.sync.as_ref(), &command.filters)
}

pub(crate) fn row_errors_delete(command: &ErrorsDelete) -> Result<Call, Error> {
    let call = filtered(Call::of(&ERRORS_DELETE), command.sync.as_ref(), &command.filters)?;
    Ok(call.with_some("all", command.all.then_some(true)).confirmed(command.yes))
}

pub(crate) fn checkpoints(command: &CheckpointsShow) -> Call {
    Call::of(&CHECKPOINTS_SHOW).with("sync", command.sync.clone())
}

pub(crate) fn checkpoint_edit(command: &CheckpointsEdit) -> Call {
    let CheckpointsEdit { sync, unit, to, yes, .. } = command;
    let call = Call::of(&CHECKPOINT_EDIT).with("sync", sync.clone()).with("group", unit.clone());
    call.with("position", to.clone()).confirmed(*yes)
}

pub(crate) fn checkpoints_reset(command: &CheckpointsReset) -> Call {
    let CheckpointsReset { sync, unit, stream, yes, .. } = command;
    let is_all = unit.is_none() && stream.is_none();
    let call = Call::of(&CHECKPOINTS_RESET).with("sync", sync.clone()).with_some("group", unit.clone());
    call.with_some("stream", stream.clone()).with("all", is_all).confirmed(*yes)
}

pub(crate) fn reprocess(command: &Reprocess) -> Call {
    let RowFilters { stream, codes, conditions, ids } = &command.rows;
    let sync = command.sync.to_string_lossy().into_owned();
    let conditions: Vec<Value> = conditions.iter().map(condition).collect();
    let ids: Vec<String> = ids.iter().map(|name| name.id.to_string()).collect();
    Call::of(&REPROCESS)
        .with("sync", sync)
        .with("run", command.run)
        .with_some("stream", stream.clone())
        .with("codes", codes.clone())
        .with("where", conditions)
        .with("ids", ids)
        .with("force", command.force)
}

fn condition(condition: &Condition) -> Value {
    // It was written as JSON when it was read.
    let value: Value = serde_json::from_str(&condition.value).unwrap_or_default();
    json!({ "field": condition.field, "comparison": condition.comparison, "value": value })
}

/// What cannot stand in an address is refused: addresses end up in logs of proxies, and values of rows may not.
fn filtered(call: Call, sync: Option<&String>, filters: &Filters) -> Result<Call, Error> {
    let Filters { run, rows: RowFilters { stream, codes, conditions, ids }, state } = filters;
    if !conditions.is_empty() {
        return Err(Error::NotByAServer { what: "`--where`", hint: CHOICE });
    }
    if codes.len() > 1 {
        return Err(Error::NotByAServer { what: "more than one `--code`", hint: CHOICE });
    }
    let state = match state {
        State::Any => None,
        State::Open => Some("open"),
        State::Superseded => Some("superseded"),
    };
    let ids: Vec<String> = ids.iter().map(|name| name.id.to_string()).collect();
    let of_run = run.as_ref().and_then(|name| name.sync.clone());
    Ok(call
        .with_some("sync", sync.cloned().or(of_run))
        .with_some("run", run.as_ref().map(|name| name.run))
        .with_some("stream", stream.clone())
        .with_some("code", codes.first().cloned())
        .with_some("state", state)
        .with_some("ids", (!ids.is_empty()).then_some(ids)))
}
