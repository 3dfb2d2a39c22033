//! For how long an organization keeps what runs leave behind.

use http::Method;

use crate::remote::verb::Kind::{Flag, Number};
use crate::remote::verb::Shows::One;
use crate::remote::verb::{Column, Family, Verb, duration, member, yes_no};

const PATH: &str = "/v1/organizations/{organization}/retention";

pub(super) const FAMILY: Family = Family {
    name: "retention",
    about: "Show and set for how long an organization keeps what runs leave behind",
    verbs: &[
        Verb::get("show", PATH, "Show for how long things are kept").shows(One(COLUMNS)),
        Verb::new("set", Method::PUT, PATH, "Set for how long things are kept, in milliseconds")
            .takes(&[
                member("row_errors_ms", Number, "Rejected rows; 45 days at most").needed(),
                member(
                    "run_logs_ms",
                    Number,
                    "Lines of connectors, ledgers, texts of reports; 45 days at most",
                )
                .needed(),
                member("previews_ms", Number, "Rows of previews; a day at most").needed(),
                member("events_ms", Number, "Messages of event endpoints; a day at most").needed(),
                member(
                    "success_logs",
                    Flag,
                    "Also keep what each commit brought, and not only what went wrong",
                )
                .needed(),
            ])
            .of_what_was_read()
            .shows(One(COLUMNS)),
    ],
};

const COLUMNS: &[Column] = &[
    duration("ROW ERRORS", "/row_errors_ms"),
    duration("RUN LOGS", "/run_logs_ms"),
    duration("PREVIEWS", "/previews_ms"),
    duration("EVENTS", "/events_ms"),
    yes_no("SUCCESS LOGS", "/success_logs"),
];
