//! Who runs an installation.

use crate::remote::verb::Kind::Text;
use crate::remote::verb::Shows::{Done, List, One};
use crate::remote::verb::{Column, Family, Verb, member, moment, of, plain, yes_no};

const INVITATIONS: &str = "/v1/operators/invitations";

pub(super) const FAMILY: Family = Family {
    name: "operators",
    about: "List who runs an installation, invite another operator, take the installation from one",
    verbs: &[
        Verb::get("list", "/v1/operators", "List who runs the installation")
            .shows(List("operators", OPERATORS)),
        Verb::get("invitations", INVITATIONS, "List invitations of operators that can still be taken up")
            .shows(List("invitations", INVITED)),
        Verb::post("invite", INVITATIONS, "Invite somebody to run the installation")
            .takes(&[member("email", Text, "Whom").needed()])
            .shows(One(&[plain("ID", "/id"), plain("TOKEN", "/token"), moment("UNTIL", "/until_ms")]))
            .note("the token is for the invited person alone, and is not shown again: `cofferdam account join` or `cofferdam invitations accept` takes it up"),
        Verb::delete("revoke", "/v1/operators/invitations/{invitation}", "Take such an invitation back")
            .takes(&[of("invitation", "The invitation's id")])
            .shows(Done("the invitation {invitation} was taken back")),
        Verb::delete("dismiss", "/v1/operators/{user}", "Take the installation from an operator, who stays a person")
            .takes(&[of("user", "The person's id")])
            .asks("{user} runs the installation no more.")
            .shows(Done("{user} runs the installation no more")),
    ],
};

const OPERATORS: &[Column] = &[
    plain("USER", "/user"),
    plain("EMAIL", "/email"),
    yes_no("SECOND FACTOR", "/has_second_factor"),
    moment("SINCE", "/created_ms"),
];

const INVITED: &[Column] = &[plain("ID", "/id"), plain("EMAIL", "/email"), moment("UNTIL", "/until_ms")];
