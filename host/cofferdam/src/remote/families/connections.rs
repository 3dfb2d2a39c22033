//! Connections: a connector with a configuration, what an admin granted it, and its credentials.

use http::Method;

use super::connectors;
use crate::remote::verb::Kind::{Document, Fields, Flag, Number, Rights, Secret, Text};
use crate::remote::verb::Shows::{Consent, Done, List, One, Within};
use crate::remote::verb::{
    Column, Family, Take, Verb, asked, behind, count, member, moment, of, plain, yes_no,
};

const LIST: &str = "/v1/organizations/{organization}/connections";
const PATH: &str = "/v1/organizations/{organization}/connections/{connection}";
const CREDENTIAL: &str = "/v1/organizations/{organization}/connections/{connection}/credentials/{ask}";
const CONSENT: &str = "/v1/organizations/{organization}/connections/{connection}/consent";

pub(super) const FAMILY: Family = Family {
    name: "connections",
    about: "Make connections at a server, grant what they ask for, enter their credentials, try them",
    verbs: &[
        Verb::get("list", LIST, "List the connections of an organization").shows(List("connections", COLUMNS)),
        Verb::post("create", LIST, "Make a connection, without rights and credentials")
            .takes(&[NAME, CONNECTOR, CONFIG])
            .shows(One(DETAILS))
            .note("`cofferdam connections grant` lets it reach what it asks for, `enter` enters its credentials"),
        Verb::post("validate", "/v1/organizations/{organization}/connections/validate", "Tell every fault of a configuration, and keep nothing")
            .takes(&[NAME, CONNECTOR, CONFIG])
            .shows(Within("/faults", FAULTS)),
        Verb::get("show", PATH, "Show a connection").takes(&[CONNECTION]).shows(One(DETAILS)),
        Verb::new("change", Method::PUT, PATH, "Give a connection another name, configuration or version of its connector")
            .takes(&[CONNECTION, NAME, CONNECTOR, CONFIG])
            .of_what_was_read()
            .shows(One(DETAILS)),
        Verb::delete("remove", PATH, "Delete a connection that no sync uses, with its credentials")
            .takes(&[CONNECTION])
            .asks("The connection {connection} is deleted with its credentials.")
            .shows(Done("{connection} was deleted")),
        Verb::get("asks", PATH, "Show which hosts a connection asks for, and why")
            .takes(&[CONNECTION])
            .shows(Within("/asks/hosts", ASKED))
            .note("`cofferdam connections grant` answers"),
        Verb::new("grant", Method::PUT, CONSENT, "Grant a connection hosts, addresses, directories and credentials to hold")
            .takes(&[CONNECTION, member("rights", Rights, "What is granted, as TOML or JSON; what is not named is not [default: the hosts that it asks for, as they are shown]").whole()])
            .reads_first(PATH)
            .shows(One(DETAILS)),
        Verb::get("directories", "/v1/organizations/{organization}/directories", "List the server's directories that connections may be granted")
            .shows(List("directories", OFFERS)),
        Verb::delete("withdraw", CONSENT, "Take back what was granted; runs that need it end")
            .takes(&[CONNECTION])
            .asks("Everything that was granted to {connection} is taken back.")
            .shows(Done("nothing is granted to {connection} any more")),
        Verb::get("credentials", PATH, "List the credentials that a connection asks for; never a value")
            .takes(&[CONNECTION])
            .shows(Within("/credentials", CREDENTIALS)),
        Verb::new("enter", Method::PUT, CREDENTIAL, "Enter a credential; no command and no route ever shows it")
            .takes(&[CONNECTION, ASK, member("fields", Fields, "").needed()])
            .reads_first(PATH)
            .shows(One(&[yes_no("READY", "/is_ready")])),
        Verb::post("authorize", "/v1/organizations/{organization}/connections/{connection}/credentials/{ask}/authorize", "Consent to a credential at its provider, in a browser")
            .takes(&[CONNECTION, ASK, ANSWER, NO_BROWSER])
            .shows(Consent),
        Verb::delete("revoke", CREDENTIAL, "Delete a credential for good, and tell its provider where it has a way for that")
            .takes(&[CONNECTION, ASK])
            .asks("Runs of {connection} that use it end.")
            .shows(One(&[yes_no("PROVIDER TOLD", "/provider_told"), plain("WARNING", "/warning")])),
        Verb::post("check", "/v1/organizations/{organization}/connections/{connection}/check", "Ask the system at the other end whether a connection works")
            .takes(&[CONNECTION])
            .shows(Done("{connection} works")),
        Verb::post("discover", "/v1/organizations/{organization}/connections/{connection}/discover", "Look which streams and fields are there, and remember them")
            .takes(&[CONNECTION])
            .shows(One(&[count("STREAMS", "/streams"), moment("AT", "/discovered_ms")]))
            .note("`cofferdam connections catalog` shows them"),
        Verb::get("catalog", "/v1/organizations/{organization}/connections/{connection}/catalog", "Show the streams that were found")
            .takes(&[
                CONNECTION,
                asked("limit", Number, "At most so many"),
                asked("cursor", Text, "The `next` of the page before"),
            ])
            .shows(Within("/streams/items", STREAMS)),
    ],
};

const CONNECTION: Take = of("connection", "The connection, by its id or its name").among(LIST);
const ASK: Take = of("ask", "The credential, by the name under which the connector asks for it");
const ANSWER: Take = behind("answer", Secret, "the address that the browser shows at the end");
const NO_BROWSER: Take =
    behind("no_browser", Flag, "Only print the address that is to be opened in a browser");
const NAME: Take = member("name", Text, "What it is called").needed();
const CONNECTOR: Take =
    member("digest", Text, "The connector, by its digest or its name").needed().among(connectors::LIST);
const CONFIG: Take = member("config", Document, "The configuration without secrets, as TOML or JSON");

const COLUMNS: &[Column] = &[
    plain("ID", "/id"),
    plain("NAME", "/name"),
    plain("CONNECTOR", "/connector"),
    plain("VERSION", "/version"),
];

const DETAILS: &[Column] = &[
    plain("ID", "/id"),
    plain("NAME", "/name"),
    plain("CONNECTOR", "/connector"),
    plain("VERSION", "/version"),
    plain("DIGEST", "/digest"),
    plain("ASKS FOR HOSTS", "/asks/hosts"),
    plain("GRANTED HOSTS", "/consent/hosts"),
    plain("GRANTED ADDRESSES", "/consent/addresses"),
    plain("ASKS FOR DIRECTORIES", "/asks/directories"),
    plain("GRANTED DIRECTORIES", "/consent/directories"),
    yes_no("GRANTS ARE CURRENT", "/consent_is_current"),
    count("SYNCS", "/syncs"),
    moment("MADE", "/created_ms"),
    moment("CHANGED", "/changed_ms"),
];

const CREDENTIALS: &[Column] = &[
    plain("NAME", "/ask"),
    plain("KIND", "/kind"),
    yes_no("OPTIONAL", "/optional"),
    yes_no("CURRENT", "/is_current"),
    moment("ENTERED", "/entered_ms"),
    plain("BY", "/entered_by"),
];

const ASKED: &[Column] = &[
    plain("HOST", "/url"),
    plain("METHODS", "/methods"),
    plain("PATH", "/path_prefix"),
    plain("REASON", "/reason"),
];

const OFFERS: &[Column] =
    &[plain("NAME", "/name"), plain("ACCESS", "/access"), yes_no("SHARED", "/is_shared")];

const FAULTS: &[Column] = &[plain("AT", "/path"), plain("FAULT", "/message")];

pub(in crate::remote) const STREAMS: &[Column] = &[
    plain("STREAM", "/name"),
    plain("GROUP", "/group"),
    plain("KEY", "/key"),
    yes_no("INCREMENTAL", "/incremental"),
    plain("FIELDS", "/fields"),
];
