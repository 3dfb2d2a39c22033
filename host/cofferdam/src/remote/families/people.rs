//! Who somebody is to a server, and where they are logged in.

use crate::remote::verb::Kind::{Secret, Text};
use crate::remote::verb::Shows::{Done, List, One};
use crate::remote::verb::{Column, Family, Verb, count, member, moment, of, plain, yes_no};

pub(super) const FAMILY: Family = Family {
    name: "account",
    about: "Become known to a server, see who you are there, and end sessions of yours",
    verbs: &[
        Verb::post("first-operator", "/v1/setup", "Become the first operator, with the token that the first start prints")
            .takes(&[
                member("token", Secret, "the token that the server printed").needed(),
                member("email", Text, "Who you are").needed(),
                member("password", Secret, "the password as it is to be").needed(),
            ])
            .for_strangers()
            .shows(One(&[plain("USER", "/user")]))
            .note("`cofferdam login` comes in"),
        Verb::post("join", "/v1/join", "Take an invitation up as somebody whom the server does not know yet")
            .takes(&[
                member("token", Secret, "the token of the invitation").needed(),
                member("password", Secret, "the password as it is to be").needed(),
            ])
            .for_strangers()
            .shows(One(&[plain("USER", "/user"), plain("ORGANIZATION", "/organization")]))
            .note("`cofferdam login` comes in"),
        Verb::get("show", "/v1/me", "Show who you are, and as what you ask").shows(One(ME)),
        Verb::post("password", "/v1/password", "Set another password, and end every other session")
            .takes(&[
                member("old", Secret, "the password as it is").needed(),
                member("new", Secret, "the password as it is to be").needed(),
            ])
            .shows(Done("the password was changed, and every other session was ended")),
        Verb::post("second-factor", "/v1/second-factor", "Set up a second factor: what your authenticator needs for it")
            .shows(One(SETUP))
            .note("enter it in your authenticator, then `cofferdam account enable-second-factor` with a code of it"),
        Verb::post("enable-second-factor", "/v1/second-factor/enable", "Ask for a code of the authenticator from now on")
            .takes(&[member("code", Secret, "a code of the authenticator").needed()])
            .shows(One(&[plain("RECOVERY CODES", "/recovery_codes")]))
            .note("keep them where nobody else finds them: each opens your account once, and they are not shown again"),
        Verb::post("disable-second-factor", "/v1/second-factor/disable", "Ask for no code any more")
            .takes(&[member("password", Secret, "the password").needed()])
            .shows(Done("no code is asked for any more")),
        Verb::delete("delete", "/v1/me", "Delete your account, and whatever tells who you are")
            .takes(&[member("password", Secret, "the password").needed()])
            .asks("Your account is deleted; entries of audit logs stay, without your name.")
            .shows(Done("your account was deleted")),
        Verb::delete("delete-person", "/v1/people/{user}", "Delete somebody's account, as an operator")
            .takes(&[of("user", "The person's id"), member("password", Secret, "the password of yours").needed()])
            .asks("The account of {user} is deleted; entries of audit logs stay, without their name.")
            .shows(Done("{user} was deleted")),
        Verb::get("sessions", "/v1/sessions", "List where you are logged in").shows(List("sessions", SESSIONS)),
        Verb::delete("end-session", "/v1/sessions/{session}", "End one of your sessions")
            .takes(&[of("session", "The session's id")])
            .shows(Done("the session {session} was ended")),
        Verb::delete("end-other-sessions", "/v1/sessions", "End every session of yours but this one")
            .shows(One(&[count("ENDED", "/ended")])),
    ],
};

const ME: &[Column] = &[
    plain("USER", "/user"),
    plain("EMAIL", "/email"),
    yes_no("OPERATOR", "/is_operator"),
    yes_no("SECOND FACTOR", "/has_second_factor"),
    moment("SINCE", "/created_ms"),
    plain("TOKEN", "/token/id"),
    plain("ORGANIZATION", "/token/organization"),
    plain("SCOPES", "/token/scopes"),
];

const SETUP: &[Column] = &[plain("SECRET", "/secret"), plain("URL", "/url")];

const SESSIONS: &[Column] = &[
    plain("ID", "/id"),
    moment("BEGAN", "/created_ms"),
    moment("SEEN", "/seen_ms"),
    plain("FROM", "/address"),
    yes_no("THIS", "/is_this"),
];
