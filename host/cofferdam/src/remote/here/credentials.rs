//! `cofferdam credentials` against a server, where a credential is called by its connection and the name of what is asked for.

use http::Method;
use serde_json::{Value, json};

use super::connect::entered;
use super::{CONNECTION, CONNECTIONS, Place, items, text, unsaid};
use crate::arguments::{CredentialsList, CredentialsRevoke, CredentialsRotate, Server};
use crate::confirm::confirmed;
use crate::output::Output;
use crate::problem::Problems;
use crate::remote::client::Wish;
use crate::remote::verb::{Column, moment, plain, yes_no};
use crate::remote::{Error, paged, show};
use crate::text::plain_line;

const CREDENTIAL: &str = "/v1/organizations/{organization}/connections/{connection}/credentials/{ask}";

const COLUMNS: &[Column] = &[
    plain("NAME", "/name"),
    plain("KIND", "/kind"),
    yes_no("OPTIONAL", "/optional"),
    yes_no("CURRENT", "/is_current"),
    moment("ENTERED", "/entered_ms"),
    plain("BY", "/entered_by"),
];

/// What each connection asks for, and whether it is there.
pub(crate) async fn credentials(command: &CredentialsList, output: &Output) -> Result<(), Problems> {
    let mut place = Place::of(&command.server).await?;
    let connections = paged::all(&place.client, &Wish::new(Method::GET, place.path(CONNECTIONS))).await?;
    let mut all = Vec::new();
    for connection in &connections {
        place.names.insert("connection", text(connection, "/id").to_owned());
        let details = place.ask(Method::GET, CONNECTION).await?;
        for credential in items(&details, "/credentials") {
            let mut credential = credential.clone();
            if let Value::Object(members) = &mut credential {
                let ask = members.get("ask").and_then(Value::as_str).unwrap_or_default().to_owned();
                members.insert("name".to_owned(), format!("{}/{ask}", text(connection, "/name")).into());
                members.insert("connection".to_owned(), text(connection, "/id").into());
            }
            all.push(credential);
        }
    }
    show::list("credentials", COLUMNS, &all, false, output)
}

/// Its secrets are entered anew.
pub(crate) async fn credentials_rotate(command: &CredentialsRotate, output: &Output) -> Result<(), Problems> {
    unsaid(command.consent.device, "`--device`", "consent in a browser")?;
    let (mut place, ask) = named(&command.server, &command.name).await?;
    place.names.insert("ask", ask);
    entered(&place, &command.given, &command.consent, output).await?;
    if output.json {
        return output.document(&json!({ "rotated": command.name }));
    }
    let name = plain_line(&command.name);
    output.text(&format!("`{name}` has new secrets; revoke the former ones where they came from\n"))
}

/// It is deleted, and its provider told.
pub(crate) async fn credentials_revoke(command: &CredentialsRevoke, output: &Output) -> Result<(), Problems> {
    let (mut place, ask) = named(&command.server, &command.name).await?;
    place.names.insert("ask", ask);
    let what = format!(
        "the credential `{}` is deleted for good, and runs that use it end",
        plain_line(&command.name)
    );
    confirmed(command.yes, &what, &command.name)?;
    let revoked = place.ask(Method::DELETE, CREDENTIAL).await?;
    let is_told = revoked.get("provider_told").and_then(Value::as_bool).unwrap_or_default();
    if let Some(reason) = revoked.get("warning").and_then(Value::as_str) {
        output.aside(&format!("{}\n", plain_line(reason)));
    }
    if output.json {
        return output.document(&revoked);
    }
    output.text(match is_told {
        true => "it is deleted; its provider was told and takes it no more\n",
        false => {
            "it is deleted\nrevoke it where it came from too: whoever has a copy of it can still use it there\n"
        }
    })
}

/// `CONNECTION/NAME`. Names of what is asked for have no `/` in them, those of connections may.
async fn named(server: &Server, said: &str) -> Result<(Place, String), Problems> {
    let mut place = Place::of(server).await?;
    let Some((connection, ask)) = said.rsplit_once('/') else {
        let hint =
            "it is called by its connection too, as in `Shop/api`; `cofferdam credentials list` has them";
        return Err(Error::NotByAServer { what: "a credential by its name alone", hint }.into());
    };
    place.name("connection", CONNECTIONS, Some(connection)).await?;
    Ok((place, ask.to_owned()))
}
