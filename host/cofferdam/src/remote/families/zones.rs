//! From where an organization is reached.

use http::Method;

use crate::remote::verb::Kind::Texts;
use crate::remote::verb::Shows::One;
use crate::remote::verb::{Column, Family, Verb, member, plain};

pub(super) const FAMILY: Family = Family {
    name: "zones",
    about: "Show and set from which addresses an organization is reached",
    verbs: &[
        Verb::get(
            "show",
            "/v1/organizations/{organization}/zones",
            "Show from where an organization is reached",
        )
        .shows(One(COLUMNS)),
        Verb::new(
            "set",
            Method::PUT,
            "/v1/organizations/{organization}/zones",
            "Set from where an organization is reached",
        )
        .takes(&[
            member(
                "api",
                Texts,
                "Ranges for the API, as in 192.0.2.0/24, with commas between [default: everywhere]",
            )
            .needed_or_empty(),
            member("events", Texts, "The same for event endpoints [default: everywhere]").needed_or_empty(),
        ])
        .of_what_was_read()
        .shows(One(COLUMNS)),
    ],
};

const COLUMNS: &[Column] = &[plain("API", "/api"), plain("EVENTS", "/events")];
