//! Connectors that an organization uses.

use crate::remote::verb::Kind::File;
use crate::remote::verb::Shows::{Done, List, One};
use crate::remote::verb::{Column, Family, Verb, count, member, moment, of, plain};

pub(super) const LIST: &str = "/v1/organizations/{organization}/connectors";

pub(super) const FAMILY: Family = Family {
    name: "connectors",
    about: "Install connectors at a server, show and remove them",
    verbs: &[
        Verb::get("list", LIST, "List the connectors of an organization").shows(List("connectors", COLUMNS)),
        Verb::post(
            "install",
            LIST,
            "Install a connector: it is judged and compiled, and nothing of it is run",
        )
        .takes(&[member("component", File, "The component's file").needed().whole()])
        .shows(One(DETAILS)),
        Verb::get(
            "show",
            "/v1/organizations/{organization}/connectors/{digest}",
            "Show what a connector is and asks for",
        )
        .takes(&[of("digest", "The connector, by its digest or its name").among(LIST)])
        .shows(One(DETAILS)),
        Verb::delete(
            "release",
            "/v1/organizations/{organization}/connectors/{digest}/quarantine",
            "Let a connector have workers again that took too many with it",
        )
        .takes(&[of("digest", "The connector, by its digest or its name").among(LIST)])
        .shows(Done("{digest} may run again")),
        Verb::delete(
            "remove",
            "/v1/organizations/{organization}/connectors/{digest}",
            "Take out a connector that nothing uses",
        )
        .takes(&[of("digest", "The connector, by its digest or its name").among(LIST)])
        .asks("The connector {digest} is taken out.")
        .shows(Done("{digest} was taken out")),
    ],
};

const COLUMNS: &[Column] = &[
    plain("NAME", "/name"),
    plain("VERSION", "/version"),
    plain("PUBLISHER", "/publisher"),
    plain("ROLES", "/roles"),
    count("CONNECTIONS", "/connections"),
    moment("INSTALLED", "/installed_ms"),
    moment("QUARANTINED", "/quarantined_ms"),
    plain("DIGEST", "/digest"),
];

const DETAILS: &[Column] = &[
    plain("DIGEST", "/digest"),
    plain("NAME", "/name"),
    plain("VERSION", "/version"),
    plain("PUBLISHER", "/publisher"),
    plain("TITLE", "/title"),
    plain("ROLES", "/roles"),
    plain("CONTRACT", "/contract"),
    plain("DESCRIPTION", "/description"),
    plain("LICENSE", "/license"),
    plain("HOMEPAGE", "/homepage"),
    plain("HOSTS", "/asks/hosts"),
    plain("DIRECTORIES", "/asks/directories"),
    plain("CREDENTIALS", "/asks/credentials"),
    count("CONNECTIONS", "/connections"),
    moment("INSTALLED", "/installed_ms"),
    moment("QUARANTINED", "/quarantined_ms"),
    plain("LOST WORKERS", "/losses"),
];
