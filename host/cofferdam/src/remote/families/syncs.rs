//! Syncs of a server, and their runs in the queue.

use http::Method;

use crate::remote::history::POSITIONS;
use crate::remote::verb::Kind::{Document, Flag, Number, Text, Texts, Word};
use crate::remote::verb::Shows::{Done, List, Live, One, Raw, Within};
use crate::remote::verb::{Column, Family, Take, Verb, asked, behind, count, member, moment, of, plain};

pub(in crate::remote) const LIST: &str = "/v1/organizations/{organization}/syncs";
const PATH: &str = "/v1/organizations/{organization}/syncs/{sync}";

pub(super) const FAMILY: Family = Family {
    name: "syncs",
    about: "Make syncs at a server, start and stop them, run them, see what waits",
    verbs: &[
        Verb::get("list", LIST, "List the syncs of an organization").shows(List("syncs", COLUMNS)),
        Verb::post("create", LIST, "Make a sync, which is stopped at first")
            .takes(&[DOCUMENT])
            .shows(One(DETAILS)),
        Verb::post(
            "validate",
            "/v1/organizations/{organization}/syncs/validate",
            "Tell all that is wrong with a sync, and keep nothing",
        )
        .takes(&[DOCUMENT])
        .shows(Within("/faults", FAULTS)),
        Verb::get("show", PATH, "Show a sync").takes(&[SYNC]).shows(One(DETAILS)),
        Verb::new("change", Method::PUT, PATH, "Change what a sync does")
            .takes(&[SYNC, DOCUMENT])
            .of_what_was_read()
            .shows(One(DETAILS)),
        Verb::delete("delete", PATH, "Delete a sync with its history, positions and row errors")
            .takes(&[SYNC])
            .asks("The sync {sync} is deleted with its history, positions and rejected rows.")
            .shows(Done("{sync} was deleted")),
        Verb::post(
            "start",
            "/v1/organizations/{organization}/syncs/{sync}/start",
            "Let a sync run when it is due",
        )
        .takes(&[SYNC])
        .shows(One(DETAILS)),
        Verb::post(
            "pause",
            "/v1/organizations/{organization}/syncs/{sync}/pause",
            "Pause a sync: what is due meanwhile is made up for",
        )
        .takes(&[SYNC])
        .shows(One(DETAILS)),
        Verb::post(
            "stop",
            "/v1/organizations/{organization}/syncs/{sync}/stop",
            "Stop a sync: what is due meanwhile is not made up for",
        )
        .takes(&[SYNC])
        .shows(One(DETAILS)),
        Verb::post("run", "/v1/organizations/{organization}/syncs/{sync}/runs", "Run a sync now")
            .takes(&[SYNC])
            .shows(One(&[plain("RUN", "/run")])),
        Verb::post(
            "preview",
            "/v1/organizations/{organization}/syncs/{sync}/preview",
            "Read the first rows through the transforms, move nothing, and keep them for a day",
        )
        .takes(&[SYNC, member("rows", Number, "Rows of each stream [default: 10]")])
        .shows(Within("/streams", &[plain("STREAM", "/stream"), count("ROWS", "/rows")]))
        .note("`cofferdam syncs previews` shows them"),
        Verb::get(
            "previews",
            "/v1/organizations/{organization}/syncs/{sync}/previews",
            "Show rows of previews",
        )
        .takes(&[SYNC])
        .shows(List("previews", PREVIEWS)),
        Verb::get("queue", "/v1/organizations/{organization}/queue", "List runs that wait or are under way")
            .shows(List("runs", QUEUE)),
        Verb::post(
            "cancel",
            "/v1/organizations/{organization}/runs/{run}/cancel",
            "End a run that waits or is under way",
        )
        .takes(&[of("run", "The run, as `queue` calls it")])
        .shows(Done("{run} is told to end")),
        LIVE,
        Verb::get(
            "report",
            "/v1/organizations/{organization}/syncs/{sync}/runs/{number}/report",
            "Write the report of a run with the texts of its errors, and its ledger, as JSON",
        )
        .takes(&[SYNC, of("number", "The number of the run")])
        .shows(Raw),
        Verb::get(
            "rejected",
            "/v1/organizations/{organization}/syncs/{sync}/errors/counts",
            "Count rejected rows by run, stream and code",
        )
        .takes(&[
            SYNC,
            asked("run", Number, "Of this run"),
            asked("stream", Text, "Of this stream"),
            asked("code", Text, "With this code"),
            asked("state", Word(&["any", "open", "superseded"]), "In this state"),
            asked("ids", Texts, "With these ids, with commas between"),
        ])
        .shows(Within("/counts", REJECTED)),
        Verb::get(
            "position",
            "/v1/organizations/{organization}/syncs/{sync}/checkpoints/groups/{group}",
            "Show where a read group stands, however long its position is",
        )
        .takes(&[SYNC, of("group", "The read group")])
        .shows(One(POSITIONS)),
        Verb::get(
            "position-changes",
            "/v1/organizations/{organization}/syncs/{sync}/checkpoints/changes",
            "List what people did to positions of a sync",
        )
        .takes(&[SYNC])
        .shows(List("changes", CHANGES)),
        Verb::post(
            "times",
            "/v1/organizations/{organization}/schedules/preview",
            "Show when a schedule would be due",
        )
        .takes(&[
            member("schedule", Document, "The schedule, as TOML or JSON").needed(),
            member("count", Number, "How many times"),
        ])
        .shows(Within("/times", &[plain("LOCAL", "/local"), moment("AT", "/due_ms")])),
    ],
};

pub(in crate::remote) const SYNC: Take = of("sync", "The sync, by its id or its name").among(LIST);
/// What happens at a server, also asked for by `runs watch`.
pub(in crate::remote) const LIVE: Verb = Verb::get(
    "live",
    "/v1/organizations/{organization}/live",
    "Show what happens to syncs and runs, as it happens: ids, states and counts",
)
.takes(&[
    behind("sync", Text, "Only of this sync, by its id or its name").among(LIST),
    behind("until_ended", Flag, "End with the first run that ends, and fail if it did not complete"),
])
.shows(Live);

const DOCUMENT: Take = member("document", Document, "What it does, as TOML or JSON").needed().whole();

const COLUMNS: &[Column] = &[
    plain("ID", "/id"),
    plain("NAME", "/name"),
    plain("STATE", "/state"),
    plain("SOURCE", "/source"),
    plain("DESTINATION", "/destination"),
    plain("RUN", "/run"),
    moment("DUE", "/due_ms"),
    plain("LAST", "/last/outcome"),
    plain("CODE", "/last/error"),
];

const DETAILS: &[Column] = &[
    plain("ID", "/id"),
    plain("NAME", "/does/name"),
    plain("STATE", "/state"),
    plain("WHY", "/pause_cause"),
    plain("SOURCE", "/does/source"),
    plain("TRANSFORMS", "/does/transforms"),
    plain("DESTINATION", "/does/destination"),
    plain("STREAMS", "/does/streams"),
    plain("SCHEDULE", "/does/schedule"),
    plain("RUN", "/run"),
    moment("DUE", "/due_ms"),
    plain("LAST", "/last/outcome"),
    plain("CODE", "/last/error"),
    moment("CHANGED", "/changed_ms"),
];

const QUEUE: &[Column] = &[
    plain("RUN", "/run"),
    plain("SYNC", "/sync"),
    plain("STATE", "/state"),
    plain("CAUSE", "/cause"),
    plain("BY", "/by"),
    count("ATTEMPTS", "/attempts"),
    moment("QUEUED", "/queued_ms"),
    moment("SINCE", "/since_ms"),
];

const PREVIEWS: &[Column] = &[plain("STREAM", "/stream"), moment("READ", "/at_ms"), plain("ROWS", "/rows")];

const REJECTED: &[Column] =
    &[plain("RUN", "/run"), plain("STREAM", "/stream"), plain("CODE", "/code"), count("ROWS", "/rows")];

const CHANGES: &[Column] = &[moment("AT", "/at_ms"), plain("GROUP", "/group"), plain("CHANGE", "/kind")];

const FAULTS: &[Column] = &[plain("AT", "/path"), plain("FAULT", "/message")];
