//! Event endpoints: where other systems leave messages for a sync.

use super::SYNC;
use crate::remote::verb::Kind::{Number, Secret};
use crate::remote::verb::Shows::{Done, One};
use crate::remote::verb::{Column, Family, Verb, count, member, moment, plain, yes_no};

const PATH: &str = "/v1/organizations/{organization}/syncs/{sync}/endpoint";
const SIGNING: &str = "/v1/organizations/{organization}/syncs/{sync}/endpoint/signing-secret";
const QUEUE: &str = "/v1/organizations/{organization}/syncs/{sync}/endpoint/queue";

pub(super) const FAMILY: Family = Family {
    name: "endpoints",
    about: "Make the event endpoint of a sync, rotate its token, see what waits there",
    verbs: &[
        Verb::get("show", PATH, "Show the event endpoint of a sync, without its token")
            .takes(&[SYNC])
            .shows(One(COLUMNS)),
        Verb::post("create", PATH, "Make the event endpoint of a sync")
            .takes(&[SYNC])
            .shows(One(MADE))
            .note("the address has a secret in it, and is not shown again"),
        Verb::post(
            "rotate",
            "/v1/organizations/{organization}/syncs/{sync}/endpoint/rotate",
            "Give the endpoint another token; the former one is good a while longer",
        )
        .takes(&[
            SYNC,
            member("overlap_seconds", Number, "For how long the former token is good [default: a day]"),
        ])
        .shows(One(MADE))
        .note("the address has a secret in it, and is not shown again"),
        Verb::delete("turn-off", PATH, "Accept no message any more")
            .takes(&[SYNC])
            .asks("No message for {sync} is accepted any more.")
            .shows(Done("the endpoint of {sync} is off")),
        Verb::post("sign", SIGNING, "Enter the key by which messages are signed; nobody is ever shown it")
            .takes(&[
                SYNC,
                member("secret", Secret, "the key by which messages are signed").needed(),
                member("overlap_seconds", Number, "For how long the former key is good [default: a day]"),
            ])
            .shows(Done("messages for {sync} are held against the key")),
        Verb::delete("unsign", SIGNING, "Forget the key; who has the token may leave messages then")
            .takes(&[SYNC])
            .asks("Messages for {sync} need no signature any more.")
            .shows(Done("messages for {sync} need no signature")),
        Verb::get("queue", QUEUE, "Show what waits at the endpoint").takes(&[SYNC]).shows(One(WAITING)),
        Verb::delete("clear", QUEUE, "Drop what waits at the endpoint")
            .takes(&[SYNC])
            .asks("Messages that wait for {sync} are dropped.")
            .shows(One(&[count("DROPPED", "/dropped")])),
    ],
};

const COLUMNS: &[Column] = &[
    yes_no("ON", "/is_on"),
    moment("SINCE", "/created_ms"),
    plain("TOKENS", "/tokens"),
    plain("SIGNATURE", "/signature"),
    yes_no("HAS A KEY", "/has_signing_secret"),
];

const MADE: &[Column] = &[plain("URL", "/url"), plain("SIGNATURE", "/shown/signature")];

const WAITING: &[Column] = &[
    count("WAITING", "/waiting"),
    count("BYTES", "/bytes"),
    moment("OLDEST", "/oldest_ms"),
    count("NEXT", "/next_sequence"),
    count("LEFT BY RUNS", "/left_by_runs"),
    moment("NEXT RUN", "/next_run_ms"),
];
