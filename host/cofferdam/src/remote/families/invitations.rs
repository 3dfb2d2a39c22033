//! Invitations: nobody gets into an organization without one.

use crate::remote::verb::Kind::{Secret, Text, Word};
use crate::remote::verb::Shows::{Done, List, One};
use crate::remote::verb::{Column, Family, Verb, member, moment, of, plain};

use super::members::ROLES;

pub(super) const FAMILY: Family = Family {
    name: "invitations",
    about: "Invite people into an organization, and take invitations up",
    verbs: &[
        Verb::get(
            "list",
            "/v1/organizations/{organization}/invitations",
            "List invitations that can still be taken up",
        )
        .shows(List("invitations", COLUMNS)),
        Verb::post("create", "/v1/organizations/{organization}/invitations", "Invite somebody")
            .takes(&[
                member("email", Text, "Whom").needed(),
                member("role", Word(ROLES), "What they may do").needed(),
            ])
            .shows(One(&[plain("ID", "/id"), plain("TOKEN", "/token"), moment("UNTIL", "/until_ms")]))
            .note("the token is for the invited person alone, and is not shown again"),
        Verb::delete(
            "revoke",
            "/v1/organizations/{organization}/invitations/{invitation}",
            "Take an invitation back",
        )
        .takes(&[of("invitation", "The invitation's id")])
        .shows(Done("the invitation {invitation} was taken back")),
        Verb::post("accept", "/v1/invitations/accept", "Take an invitation up, as who you are logged in")
            .takes(&[member("token", Secret, "the token of the invitation").needed()])
            .shows(One(JOINED)),
    ],
};

const COLUMNS: &[Column] =
    &[plain("ID", "/id"), plain("EMAIL", "/email"), plain("ROLE", "/role"), moment("UNTIL", "/until_ms")];

const JOINED: &[Column] = &[plain("USER", "/user"), plain("ORGANIZATION", "/organization")];
