//! Break-glass: an operator looks into an organization, because an admin of it lets them.

use crate::remote::verb::Kind::{Number, Text, Texts};
use crate::remote::verb::Shows::{Done, List, One};
use crate::remote::verb::{Column, Family, Verb, member, moment, of, plain};

pub(super) const FAMILY: Family = Family {
    name: "break-glass",
    about: "Ask to look into an organization as an operator, and allow that as an admin of it",
    verbs: &[
        Verb::get(
            "list",
            "/v1/organizations/{organization}/break-glass",
            "List wishes to look, and what became of them",
        )
        .shows(List("wishes", COLUMNS)),
        Verb::get("show", "/v1/organizations/{organization}/break-glass/{glass}", "Show a wish to look")
            .takes(&[of("glass", "The id of the wish")])
            .shows(One(COLUMNS)),
        Verb::post(
            "request",
            "/v1/organizations/{organization}/break-glass",
            "Ask to look into an organization",
        )
        .takes(&[member("reason", Text, "Why; it stands in the audit log in the clear").needed()])
        .shows(One(&[plain("ID", "/id")]))
        .note("an admin of the organization decides"),
        Verb::post(
            "approve",
            "/v1/organizations/{organization}/break-glass/{glass}/approve",
            "Let an operator look",
        )
        .takes(&[
            of("glass", "The id of the wish"),
            member("minutes", Number, "For how long").needed(),
            member("selected", Texts, "What may be looked at beside metadata, with commas between")
                .needed_or_empty(),
        ])
        .shows(Done("{glass} is allowed for {minutes} minutes")),
        Verb::delete(
            "end",
            "/v1/organizations/{organization}/break-glass/{glass}",
            "Refuse a wish, or end a look",
        )
        .takes(&[of("glass", "The id of the wish")])
        .shows(Done("{glass} has ended")),
    ],
};

const COLUMNS: &[Column] = &[
    plain("ID", "/id"),
    plain("OPERATOR", "/operator"),
    plain("STATE", "/state"),
    plain("REASON", "/reason"),
    moment("ASKED", "/requested_ms"),
    plain("ADMIN", "/admin"),
    moment("UNTIL", "/until_ms"),
    plain("SELECTED", "/selected"),
];
