//! Organizations of a server.

use http::Method;

use crate::remote::verb::Kind::Text;
use crate::remote::verb::Shows::{Done, List, One};
use crate::remote::verb::{Column, Family, Take, Verb, count, member, moment, plain, yes_no};

pub(super) const FAMILY: Family = Family {
    name: "organizations",
    about: "List, make, rename and delete organizations of a server",
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
        Verb::get("deletion", DELETION, "Show whether an organization is to be deleted").shows(One(WANTED)),
        Verb::post(
            "delete",
            DELETION,
            "Ask for the deletion of an organization, to which somebody is to agree",
        )
        .takes(&[TYPED])
        .shows(One(WANTED))
        .note("`cofferdam organizations confirm-deletion` agrees, `keep` takes it back"),
        Verb::delete("keep", DELETION, "Take back that an organization is to be deleted")
            .shows(Done("{organization} is not deleted")),
        Verb::post(
            "confirm-deletion",
            "/v1/organizations/{organization}/deletion/confirm",
            "Delete an organization for good: its keys are destroyed",
        )
        .takes(&[TYPED])
        .asks("Everything of {organization} becomes unreadable, for everybody and for ever.")
        .shows(One(CERTIFICATE)),
        Verb::get(
            "certificate",
            "/v1/deletions/{organization}",
            "Show the certificate of an organization that was deleted, by its id",
        )
        .of_what_is_gone()
        .shows(One(CERTIFICATE)),
    ],
};

const COLUMNS: &[Column] = &[
    plain("ID", "/id"),
    plain("NAME", "/name"),
    plain("REGION", "/region"),
    count("MEMBERS", "/members"),
    moment("SINCE", "/created_ms"),
];

const DELETION: &str = "/v1/organizations/{organization}/deletion";
const TYPED: Take = member("name", Text, "The name of the organization, typed anew").needed();

const WANTED: &[Column] = &[
    yes_no("REQUESTED", "/is_requested"),
    plain("BY", "/requested_by"),
    moment("AT", "/requested_ms"),
    moment("DUE", "/due_ms"),
];

const CERTIFICATE: &[Column] = &[
    plain("ORGANIZATION", "/organization"),
    plain("REGION", "/region"),
    plain("REQUESTED BY", "/requested_by"),
    plain("CONFIRMED BY", "/confirmed_by"),
    moment("DELETED", "/deleted_ms"),
    count("LOG ENTRIES", "/log_entries"),
    plain("LOG ROOT", "/log_root"),
    plain("FILES LEFT IN", "/directories"),
];
