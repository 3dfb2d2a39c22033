//! Settings of credentials with values of the configuration in them, as the host writes them.

use crate::expression::{Meaning, meaning};
use crate::host::{mark, marked, placeholder};

/// A value of the configuration, and what stands in its place where there is none.
type Key = (Vec<String>, Option<String>);

/// The setting, and the values of the configuration in it; the error says why it cannot be said.
pub(crate) fn setting(
    source: &str,
    parameter: &impl Fn(&str) -> Option<String>,
) -> Result<(String, Vec<Key>), String> {
    if source.contains("{%") {
        return Err("is made by statements, of which the host knows none".to_owned());
    }
    let (text, expressions) = marked(source, parameter);
    let mut said = String::new();
    let mut keys = Vec::new();
    for character in text.chars() {
        let Some(index) = mark(character) else {
            said.push(character);
            continue;
        };
        let meant = expressions.get(index).map(|expression| meaning(expression));
        let Some(Meaning::Config { key, default }) = meant else {
            return Err("holds an expression that is no value of the configuration".to_owned());
        };
        said.push_str(&placeholder(&key)?);
        keys.push((key, default));
    }
    Ok((said, keys))
}

#[cfg(test)]
mod tests {
    use super::setting;

    #[test]
    fn values_of_the_configuration_stay_open() {
        let parameter = |name: &str| (name == "zone").then(|| "eu".to_owned());
        let said = |source: &str| setting(source, &parameter).map(|(text, _)| text);
        assert_eq!(said("https://id.example.com/token").as_deref(), Ok("https://id.example.com/token"));
        assert_eq!(
            said("https://{{ parameters.zone }}.example.com/{{ config['tenant'] }}/token").as_deref(),
            Ok("https://eu.example.com/${config.tenant}/token")
        );
        assert_eq!(said("{{ config.base_url }}/token").as_deref(), Ok("${config.base_url}/token"));
        for source in [
            "https://{{ config.a ~ config.b }}/token",
            "{% if config.a %}a{% endif %}",
            "{{ config['a b'] }}",
        ] {
            assert!(said(source).is_err(), "{source}");
        }
    }
}
