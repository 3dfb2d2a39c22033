//! Tokens, with which programs act for people.

use crate::remote::verb::Kind::{Number, Text, Words};
use crate::remote::verb::Shows::{Done, List, One};
use crate::remote::verb::{Column, Family, Verb, member, moment, of, plain};

const SCOPES: &[&str] = &["read", "write", "run", "admin"];

pub(super) const FAMILY: Family = Family {
    name: "tokens",
    about: "List, make and revoke tokens, with which programs act for you",
    verbs: &[
        Verb::get(
            "list",
            "/v1/organizations/{organization}/tokens",
            "List tokens: as an admin all, else your own",
        )
        .shows(List("tokens", COLUMNS)),
        Verb::post("create", "/v1/organizations/{organization}/tokens", "Make a token of your own")
            .takes(&[
                member("name", Text, "What it is for").needed(),
                member("scopes", Words(SCOPES), "What it may do, with commas between").needed(),
                member("days", Number, "For how many days it is good").needed(),
            ])
            .shows(One(&[
                plain("ID", "/shown/id"),
                plain("TOKEN", "/token"),
                plain("SCOPES", "/shown/scopes"),
                moment("UNTIL", "/shown/until_ms"),
            ]))
            .note("the token is not shown again; programs set COFFERDAM_TOKEN to it"),
        Verb::delete("revoke", "/v1/organizations/{organization}/tokens/{token}", "Revoke a token")
            .takes(&[of("token", "The token's id")])
            .asks("Programs that use {token} are let in no more.")
            .shows(Done("the token {token} was revoked")),
    ],
};

const COLUMNS: &[Column] = &[
    plain("ID", "/id"),
    plain("NAME", "/name"),
    plain("USER", "/user"),
    plain("SCOPES", "/scopes"),
    moment("SINCE", "/created_ms"),
    moment("UNTIL", "/until_ms"),
    moment("USED", "/used_ms"),
];
