//! Organizations of a server.

use http::Method;

use crate::remote::verb::Kind::Text;
use crate::remote::verb::Shows::{List, One};
use crate::remote::verb::{Column, Family, Verb, count, member, moment, plain};

pub(super) const FAMILY: Family = Family {
    name: "organizations",
    about: "List, make, show and rename organizations of a server",
    verbs: &[
        Verb::get("list", "/v1/organizations", "List the organizations that you may see")
            .shows(List("organizations", COLUMNS)),
        Verb::post("create", "/v1/organizations", "Make an organization, and invite its first admin")
            .takes(&[
                member("name", Text, "What it is called").needed(),
                member("admin_email", Text, "Who is invited to rule over it").needed(),
            ])
            .shows(One(&[
                plain("ID", "/organization/id"),
                plain("NAME", "/organization/name"),
                plain("REGION", "/organization/region"),
                plain("INVITATION", "/invitation/id"),
                plain("TOKEN", "/invitation/token"),
                moment("UNTIL", "/invitation/until_ms"),
            ]))
            .note("the token is for the invited person alone, and is not shown again"),
        Verb::get("show", "/v1/organizations/{organization}", "Show an organization").shows(One(COLUMNS)),
        Verb::new(
            "rename",
            Method::PATCH,
            "/v1/organizations/{organization}",
            "Give an organization another name",
        )
        .takes(&[member("name", Text, "What it is to be called").needed()])
        .of_what_was_read()
        .shows(One(COLUMNS)),
    ],
};

const COLUMNS: &[Column] = &[
    plain("ID", "/id"),
    plain("NAME", "/name"),
    plain("REGION", "/region"),
    count("MEMBERS", "/members"),
    moment("SINCE", "/created_ms"),
];
