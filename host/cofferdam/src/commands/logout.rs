//! `cofferdam logout`: the session is ended at the server, and forgotten here.

use http::Method;
use serde_json::json;

use crate::arguments::Logout;
use crate::output::Output;
use crate::problem::Problems;
use crate::remote::{Error, Logins, Wish};

pub(super) async fn run(command: Logout, output: &Output) -> Result<(), Problems> {
    let (address, login) = command.server.known()?;
    let server = address.to_string();
    let Some(login) = login else { return Err(Error::NotLoggedIn { server }.into()) };
    let client = command.server.person(login)?;
    let ended = client.document(&Wish::new(Method::POST, "/v1/logout").once()).await;
    // Whatever the server says: who wants to be logged out here is.
    let mut logins = Logins::read()?;
    logins.forget(&server);
    logins.write()?;
    if let Err(problems) = &ended {
        problems.all().iter().for_each(|problem| output.warning(problem));
    }
    if output.json {
        return output.document(&json!({ "server": server, "ended_there": ended.is_ok() }));
    }
    output.text(&format!("logged out at {server}\n"))
}
