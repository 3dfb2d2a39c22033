//! `cofferdam connect` against a server: a credential that a connection asks for is entered, and consented to where its provider
//! wants that.

use http::Method;
use http::header::IF_MATCH;
use serde_json::{Value, json};

use super::{CONNECTION, CONNECTIONS, Place, items, text, unsaid};
use crate::arguments::{Connect, Consent, Given};
use crate::connect::Error as Own;
use crate::output::Output;
use crate::problem::Problems;
use crate::remote::client::Wish;
use crate::remote::consented::{Consenting, consented};
use crate::remote::fields;
use crate::text::plain_line;

const CREDENTIAL: &str = "/v1/organizations/{organization}/connections/{connection}/credentials/{ask}";
const AUTHORIZE: &str =
    "/v1/organizations/{organization}/connections/{connection}/credentials/{ask}/authorize";

pub(crate) async fn connect(command: &Connect, output: &Output) -> Result<(), Problems> {
    unsaid(command.config.is_some(), "`--config`", "the server has the configuration of its connection")?;
    unsaid(
        command.name.is_some(),
        "`--name`",
        "at a server a credential is called by its connection and `--ask`",
    )?;
    unsaid(command.connection.is_some(), "`--connection`", "name the connection in the place of the sync")?;
    unsaid(command.consent.device, "`--device`", "consent in a browser")?;
    unsaid(command.consent.callback_port != 0, "`--callback-port`", "the browser returns to the server")?;
    let mut place = Place::of(&command.server).await?;
    place.name("connection", CONNECTIONS, Some(&command.subject.to_string_lossy())).await?;
    let connection = place.ask(Method::GET, CONNECTION).await?;
    let wanted = match &command.ask {
        Some(ask) => vec![ask.clone()],
        None => missing(&connection),
    };
    if wanted.len() > 1 && !command.given.is_empty() {
        let known = wanted.iter().map(|name| format!("`{name}`")).collect();
        return Err(Own::WhichAsk { known, option: "--ask" }.into());
    }
    for ask in &wanted {
        place.names.insert("ask", ask.clone());
        output.aside(&introduced(&connection, ask));
        entered(&place, &command.given, &command.consent, output).await?;
    }
    if output.json {
        return output.document(&json!({ "entered": wanted }));
    }
    if wanted.is_empty() {
        return output.text("everything that it needs is there; `--ask` names what is to be entered anew\n");
    }
    output.text(&wanted.iter().map(|ask| format!("`{}` is kept\n", plain_line(ask))).collect::<String>())
}

/// What it needs, and what is not there.
fn missing(connection: &Value) -> Vec<String> {
    let is = |value: &Value, name: &str| value.get(name).and_then(Value::as_bool).unwrap_or_default();
    let missing =
        items(connection, "/credentials").filter(|one| !is(one, "optional") && !is(one, "is_current"));
    missing.map(|one| text(one, "/ask").to_owned()).collect()
}

/// What a person agrees to by entering it.
fn introduced(connection: &Value, name: &str) -> String {
    let Some(ask) = items(connection, "/asks/credentials").find(|ask| text(ask, "/name") == name) else {
        return String::new();
    };
    let connector = plain_line(text(connection, "/connector"));
    let mut words = format!("credential `{}` of {connector} ({})\n", plain_line(name), text(ask, "/kind"));
    for rule in items(ask, "/audience") {
        words.push_str(&format!("  sent to  {}\n", plain_line(text(rule, "/url"))));
    }
    words
}

/// The credential of this place is entered, and consented to where it is of no use without.
pub(super) async fn entered(
    place: &Place,
    given: &Given,
    consent: &Consent,
    output: &Output,
) -> Result<(), Problems> {
    let fields = fields::entered(&place.client, &place.names, given, output).await?;
    let mut wish = Wish::new(Method::PUT, place.path(CREDENTIAL)).with_json(&json!({ "fields": fields }));
    let read = Wish::new(Method::GET, place.path(CONNECTION));
    if let (_, Some(tag)) = place.client.tagged(&read).await? {
        wish.headers.insert(IF_MATCH, tag);
    }
    let answered = place.client.document(&wish).await?;
    if answered.get("is_ready").and_then(Value::as_bool) == Some(true) {
        return Ok(());
    }
    let begin = Wish::new(Method::POST, place.path(AUTHORIZE));
    let how = Consenting { no_browser: consent.no_browser, answer: None };
    consented(&place.client, &begin, how, output).await
}
