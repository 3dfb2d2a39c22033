//! Members of an organization.

use http::Method;

use crate::remote::verb::Kind::Word;
use crate::remote::verb::Shows::{Done, List, One};
use crate::remote::verb::{Column, Family, Verb, member, moment, of, plain};

pub(super) const ROLES: &[&str] = &["admin", "user"];

pub(super) const FAMILY: Family = Family {
    name: "members",
    about: "List members of an organization, change what they may do, remove them",
    verbs: &[
        Verb::get("list", "/v1/organizations/{organization}/members", "List the members of an organization")
            .shows(List("members", COLUMNS)),
        Verb::get("show", "/v1/organizations/{organization}/members/{user}", "Show a member")
            .takes(&[of("user", "The person's id")])
            .shows(One(COLUMNS)),
        Verb::new(
            "change",
            Method::PATCH,
            "/v1/organizations/{organization}/members/{user}",
            "Give a member another role",
        )
        .takes(&[of("user", "The person's id"), member("role", Word(ROLES), "What they may do").needed()])
        .of_what_was_read()
        .shows(One(COLUMNS)),
        Verb::delete(
            "remove",
            "/v1/organizations/{organization}/members/{user}",
            "Remove a member, or yourself",
        )
        .takes(&[of("user", "The person's id")])
        .asks("{user} and every token of theirs lose the organization.")
        .shows(Done("{user} was removed")),
    ],
};

const COLUMNS: &[Column] =
    &[plain("USER", "/user"), plain("EMAIL", "/email"), plain("ROLE", "/role"), moment("SINCE", "/since_ms")];
