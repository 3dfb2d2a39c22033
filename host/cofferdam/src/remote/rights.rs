//! Rights that nobody wrote down: what a connection asks for is shown, and somebody agrees to it.

use http::Method;
use serde_json::{Map, Value, json};

use super::client::{Client, Wish};
use super::fill::{Names, path};
use crate::confirm::confirmed;
use crate::output::Output;
use crate::problem::Problems;
use crate::text::plain_line;

const CONNECTION: &str = "/v1/organizations/{organization}/connections/{connection}";
/// What a rule over requests is made of; its reason is the asker's word and no part of a right.
const RULE: [&str; 3] = ["url", "methods", "path_prefix"];

/// The hosts that are asked for, and nothing else: whoever lets a connection reach an inner address, or hold a secret itself,
/// writes that down.
pub(super) async fn as_asked(
    client: &Client,
    names: &Names,
    is_confirmed: bool,
    output: &Output,
) -> Result<Value, Problems> {
    let connection = client.document(&Wish::new(Method::GET, path(CONNECTION, names))).await?;
    let asks = connection.pointer("/asks/hosts").and_then(Value::as_array);
    let asks: Vec<&Value> = asks.into_iter().flatten().collect();
    let name = connection.get("name").and_then(Value::as_str).unwrap_or_default();
    output.aside(&asks.iter().map(|ask| asked(ask)).collect::<String>());
    let what = format!("The connection `{}` is let reach these hosts, and no others.", plain_line(name));
    confirmed(is_confirmed, &what, name)?;
    Ok(json!({ "hosts": asks.into_iter().map(rule).collect::<Vec<_>>() }))
}

fn rule(ask: &Value) -> Value {
    let member =
        |name: &str| Some((name.to_owned(), ask.get(name).filter(|value| !value.is_null())?.clone()));
    Value::Object(RULE.into_iter().filter_map(member).collect::<Map<_, _>>())
}

fn asked(ask: &Value) -> String {
    let text = |name| ask.get(name).and_then(Value::as_str);
    let methods = ask.get("methods").and_then(Value::as_array);
    let methods = methods.map(|all| all.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "));
    let mut line = format!("  {}", text("url").unwrap_or_default());
    text("path_prefix").into_iter().for_each(|prefix| line.push_str(&format!(", below {prefix}")));
    methods.into_iter().for_each(|methods| line.push_str(&format!(", only {methods}")));
    text("reason").into_iter().for_each(|reason| line.push_str(&format!(": {reason}")));
    format!("{}\n", plain_line(&line))
}

#[cfg(test)]
mod tests {
    use super::{asked, rule};
    use serde_json::json;

    #[test]
    fn a_right_is_the_rule_without_the_askers_words() {
        let ask = json!({"url": "https://a.example", "methods": ["GET", "POST"], "path_prefix": "/v1", "reason": "to\u{1b}read"});
        assert_eq!(
            rule(&ask),
            json!({"url": "https://a.example", "methods": ["GET", "POST"], "path_prefix": "/v1"})
        );
        assert_eq!(asked(&ask), "  https://a.example, below /v1, only GET, POST: to\\u{1b}read\n");
        let whole = json!({"url": "https://b.example", "methods": null, "path_prefix": null, "reason": null});
        assert_eq!(rule(&whole), json!({"url": "https://b.example"}));
        assert_eq!(asked(&whole), "  https://b.example\n");
    }
}
