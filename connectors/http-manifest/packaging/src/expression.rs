//! What an expression in a URL stands for, as far as that can be said without a configuration.

/// What an expression stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A value of the configuration, and what stands in its place where there is none.
    Config { key: Vec<String>, default: Option<String> },
    /// One of the parameters.
    Parameter(String),
    /// Something else.
    Unknown,
}

/// Reads `config['a']['b']`, `config.a`, `config.get('a', 'x')`, `parameters.a`, with `or 'x'` or `| default('x')` after
/// it.
pub(crate) fn meaning(expression: &str) -> Meaning {
    let text = expression.trim();
    let (root, rest) = split_word(text);
    let Some((key, mut default, rest)) = path(rest) else { return Meaning::Unknown };
    match fallback(rest) {
        Some(None) => {}
        Some(found) => default = found,
        None => return Meaning::Unknown,
    }
    match (root, key.as_slice()) {
        ("config", [_, ..]) => Meaning::Config { key, default },
        ("parameters", [name]) => Meaning::Parameter(name.clone()),
        _ => Meaning::Unknown,
    }
}

fn split_word(text: &str) -> (&str, &str) {
    let end = text.find(|character: char| !(character.is_ascii_alphanumeric() || character == '_'));
    text.split_at_checked(end.unwrap_or(text.len())).unwrap_or((text, ""))
}

/// `.a`, `['a']` and `.get('a', 'x')` as far as they go: the names, the default, the rest.
fn path(mut rest: &str) -> Option<(Vec<String>, Option<String>, &str)> {
    let mut names = Vec::new();
    let mut default = None;
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix('[') {
            let (name, after) = literal(after.trim_start())?;
            names.push(name);
            rest = after.trim_start().strip_prefix(']')?;
        } else if let Some(after) = rest.strip_prefix(".get(") {
            let (name, after) = literal(after.trim_start())?;
            names.push(name);
            let mut after = after.trim_start();
            if let Some(second) = after.strip_prefix(',') {
                let (value, end) = literal(second.trim_start())?;
                default = Some(value);
                after = end.trim_start();
            }
            rest = after.strip_prefix(')')?;
        } else if let Some(after) = rest.strip_prefix('.') {
            let (name, after) = split_word(after);
            if name.is_empty() || after.starts_with('(') {
                return None;
            }
            names.push(name.to_owned());
            rest = after;
        } else {
            return Some((names, default, rest));
        }
    }
}

/// What stands after a path: nothing, or a default. The outer option: whether it is understood.
fn fallback(rest: &str) -> Option<Option<String>> {
    let rest = rest.trim();
    if rest.is_empty() {
        return Some(None);
    }
    let call = rest.strip_prefix('|').map(str::trim_start);
    let (text, end) = match call {
        Some(call) => (call.strip_prefix("default(").or_else(|| call.strip_prefix("d("))?, ")"),
        None => (rest.strip_prefix("or ")?, ""),
    };
    let (value, after) = literal(text.trim_start())?;
    let after = after.trim();
    (after == end || (end == ")" && after.starts_with(',') && after.ends_with(')'))).then_some(Some(value))
}

/// A text in quotes at the beginning, and what follows it.
fn literal(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    let (value, rest) = text.get(1..)?.split_once(quote)?;
    (!value.contains('\\')).then(|| (value.to_owned(), rest))
}

#[cfg(test)]
mod tests {
    use super::{Meaning, meaning};

    fn config(expression: &str, key: &[&str], default: Option<&str>) {
        let key = key.iter().map(|part| (*part).to_owned()).collect();
        let expected = Meaning::Config { key, default: default.map(ToOwned::to_owned) };
        assert_eq!(meaning(expression), expected, "{expression}");
    }

    #[test]
    fn values_of_the_configuration_are_recognized() {
        config("config['a']", &["a"], None);
        config(" config[\"a\"]['b'] ", &["a", "b"], None);
        config("config.a.b", &["a", "b"], None);
        config("config.get('a')", &["a"], None);
        config("config.get('a', 'x')", &["a"], Some("x"));
        config("config['a'] or 'x'", &["a"], Some("x"));
        config("config.a | default('x')", &["a"], Some("x"));
        config("config.a|d(\"x\", true)", &["a"], Some("x"));
        assert_eq!(meaning("parameters['p']"), Meaning::Parameter("p".to_owned()));
    }

    #[test]
    fn everything_else_is_unknown() {
        for expression in [
            "config",
            "config.a ~ 'b'",
            "config.a.lower()",
            "'x' if config.a else 'y'",
            "config[x]",
            "config['a'",
            "now_utc()",
            "parameters.a.b",
            "config.a or config.b",
            "",
        ] {
            assert_eq!(meaning(expression), Meaning::Unknown, "{expression}");
        }
    }
}
