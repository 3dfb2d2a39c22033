//! `cofferdam login`: somebody comes in at a server, and the session is kept for the commands that it does.

use http::Method;
use serde_json::{Value, json};
use vault::Plaintext;

use crate::arguments::Login as Command;
use crate::connect::SecretSource;
use crate::output::Output;
use crate::problem::{Problems, Whose};
use crate::prompt::{self, Echo};
use crate::remote::{Client, Error, Login, Logins, Wish};

/// The password is right, and a code is needed beside it.
const SECOND_FACTOR_NEEDED: &str = "CD1228";
const SOURCE: &str = "--password SOURCE";

pub(super) async fn run(command: Command, output: &Output) -> Result<(), Problems> {
    let server = &command.server;
    // Read before anybody types a password for nothing.
    let mut logins = Logins::read()?;
    let (address, former) = server.known()?;
    let authorities = server.authorities_or(former)?;
    let client = server.stranger()?;
    let email = match &command.email {
        Some(email) => email.clone(),
        None => text_of("the e-mail address", &typed("e-mail address", Echo::Shown, "--email ADDRESS")?)?,
    };
    let password = secret(command.password.as_ref(), "password", SOURCE)?;
    let password = text_of("the password", &password)?;
    let code = match &command.code {
        Some(source) => Some(text_of("the code", &source.value()?)?),
        None => None,
    };
    let mut came_in = come_in(&client, &email, &password, code.as_deref()).await;
    if code.is_none() && came_in.as_ref().is_err_and(needs_code) {
        let code = typed("code of the second factor", Echo::Hidden, "--code SOURCE")?;
        came_in = come_in(&client, &email, &password, Some(&text_of("the code", &code)?)).await;
    }
    let came_in = came_in?;
    let Some(token) = came_in.get("token").and_then(Value::as_str) else {
        let reason = "it gives no session".to_owned();
        return Err(Error::Strange { server: address.to_string(), reason }.into());
    };
    let organization = server.organization.clone();
    let login = Login { email: email.clone(), token: token.to_owned(), authorities, organization };
    logins.put(&address.to_string(), login);
    logins.write()?;
    if output.json {
        return output.document(
            &json!({ "server": address.to_string(), "email": email, "user": came_in.get("user") }),
        );
    }
    output.text(&format!("logged in at {address} as {}\n", crate::text::plain_line(&email)))
}

async fn come_in(
    client: &Client,
    email: &str,
    password: &str,
    code: Option<&str>,
) -> Result<Value, Problems> {
    let body = json!({ "email": email, "password": password, "code": code, "keep": "token" });
    client.document(&Wish::new(Method::POST, "/v1/login").with_json(&body)).await
}

fn needs_code(problems: &Problems) -> bool {
    problems.all().iter().any(|problem| problem.code == SECOND_FACTOR_NEEDED && problem.whose == Whose::Yours)
}

fn secret(
    source: Option<&SecretSource>,
    what: &'static str,
    option: &'static str,
) -> Result<Plaintext, Problems> {
    match source {
        Some(source) => source.value(),
        None => Ok(typed(what, Echo::Hidden, option)?),
    }
}

fn typed(what: &'static str, echo: Echo, option: &'static str) -> Result<Plaintext, Error> {
    prompt::line(&format!("{what}: "), echo).ok_or(Error::NoTerminal { what, option })
}

fn text_of(what: &'static str, bytes: &Plaintext) -> Result<String, Error> {
    let text = std::str::from_utf8(bytes.expose()).map_err(|_| Error::NoText { what })?;
    Ok(text.to_owned())
}
