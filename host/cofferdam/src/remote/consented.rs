//! A user's consent through a server: a browser is sent to the provider, and what it shows at the end is brought to the server
//! by the session that began. The server turns it into tokens, which nobody is shown.

use http::{Method, Uri};
use serde_json::{Value, json};

use super::Error;
use super::client::{Client, Wish};
use super::fill::SOURCES;
use crate::connect::SecretSource;
use crate::output::Output;
use crate::problem::Problems;
use crate::prompt::{self, Echo};

const CALLBACK: &str = "/v1/oauth/callback";
const ANSWER: &str = "the address that the browser shows at the end";

/// How a user consents, and how their answer comes.
pub(super) struct Consenting<'c> {
    pub(super) no_browser: bool,
    pub(super) answer: Option<&'c SecretSource>,
}

/// Sends a user to the page that the server names, and brings the answer back.
pub(super) async fn consented(
    client: &Client,
    begin: &Wish,
    how: Consenting<'_>,
    output: &Output,
) -> Result<(), Problems> {
    let begun = client.document(begin).await?;
    let url = begun.get("url").and_then(Value::as_str);
    let url = url.ok_or_else(|| client.strange("it names no page of a provider".to_owned()))?;
    output.aside(&format!("consent at\n    {url}\n"));
    if !how.no_browser && opener::open_browser(url).is_err() {
        output.aside("no browser could be opened here: open the address yourself\n");
    }
    output.aside(
        "at its end the browser shows that this session is to bring the answer: give its address here\n",
    );
    let answer = match how.answer {
        Some(source) => source.value()?,
        None => {
            let none = Error::NoTerminal { what: ANSWER, option: SOURCES };
            prompt::line(&format!("{ANSWER}: "), Echo::Hidden).ok_or(none)?
        }
    };
    let query = query(answer.expose()).ok_or(Error::NoAnswer)?;
    // Anything that it answers with is a page for a browser.
    client.ask(&Wish::new(Method::GET, format!("{CALLBACK}?{query}"))).await?;
    if output.json {
        return output.document(&json!({ "consented": true }));
    }
    output.text("the provider's answer was taken, and the credential can be used\n")
}

/// What stands behind the `?` of an address of the callback: nothing else is sent anywhere.
fn query(answer: &[u8]) -> Option<String> {
    let address: Uri = std::str::from_utf8(answer).ok()?.trim().parse().ok()?;
    (address.path() == CALLBACK).then(|| address.query().map(ToOwned::to_owned)).flatten()
}

#[cfg(test)]
mod tests {
    use super::query;

    #[test]
    fn only_an_answer_is_brought_to_the_server() {
        let answer = b" https://x.example/v1/oauth/callback?state=a&code=b%20c\n";
        assert_eq!(query(answer).as_deref(), Some("state=a&code=b%20c"));
        for other in
            ["", "code", "https://x.example/v1/oauth/callback", "https://x.example/v1/me?state=a", "\u{e9}"]
        {
            assert_eq!(query(other.as_bytes()), None, "{other}");
        }
    }
}
