//! The `Link` header of an answer (RFC 8288) as templates see it: `{"next": {"url": "…", "rel": "next"}}`.

use serde_json::{Map, Value};

use crate::http::Answer;

/// All links of an answer by their relation.
pub(crate) fn of(answer: &Answer) -> Value {
    let mut links = Map::new();
    let headers = answer.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("link"));
    for (_, value) in headers {
        let mut rest = value.as_str();
        while let Some((url, after)) = next_url(rest) {
            let end = after.find(",<").or_else(|| after.find(", <")).unwrap_or(after.len());
            let (parameters, following) = after.split_at_checked(end).unwrap_or((after, ""));
            let link = link(url, parameters);
            let relation = link.get("rel").and_then(Value::as_str).unwrap_or(url).to_owned();
            links.insert(relation, Value::Object(link));
            rest = following;
        }
    }
    Value::Object(links)
}

fn next_url(text: &str) -> Option<(&str, &str)> {
    let (_, rest) = text.split_once('<')?;
    rest.split_once('>')
}

fn link(url: &str, parameters: &str) -> Map<String, Value> {
    let mut link = Map::from_iter([("url".to_owned(), Value::from(url))]);
    for parameter in parameters.split(';') {
        if let Some((name, value)) = parameter.split_once('=') {
            let value = value.trim().trim_end_matches(',').trim_matches('"');
            link.insert(name.trim().to_owned(), Value::from(value));
        }
    }
    link
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::of;
    use crate::http::Answer;

    #[test]
    fn links_are_found_by_their_relation() {
        let value = r#"<https://a.test/?p=2,3;x>; rel="next"; title="a", <https://a.test/?p=9>;rel=last"#;
        let answer =
            Answer { status: 200, headers: vec![("LINK".to_owned(), value.to_owned())], body: Vec::new() };
        let expected = json!({
            "next": {"url": "https://a.test/?p=2,3;x", "rel": "next", "title": "a"},
            "last": {"url": "https://a.test/?p=9", "rel": "last"},
        });
        assert_eq!(of(&answer), expected);
        assert_eq!(of(&Answer { status: 200, headers: Vec::new(), body: Vec::new() }), json!({}));
    }
}
