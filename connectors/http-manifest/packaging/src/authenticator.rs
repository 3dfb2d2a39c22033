//! What one authenticator asks for. A value that an expression computes is entered by the user as the expression would
//! give it; a secret that stands in the manifest itself is refused, since everybody who has the manifest has it.

mod hosts_words;

use http_manifest_dialect::{
    ApiKey, ApiKeyPlace, Authenticator, Basic, Fault, Grant, Jwt, OAuth, Spec, ValueSource,
    template::Template,
};
use serde_json::Value as Json;
use toml::{Table, Value};

use crate::credentials::Credential;
use crate::endpoint;
use crate::expression::{Meaning, meaning};

/// Turns authenticators into credentials, and gathers what is to be said of them.
pub(crate) struct Reading<'r> {
    pub(crate) spec: &'r Spec,
    pub(crate) path: String,
    pub(crate) faults: &'r mut Vec<Fault>,
    pub(crate) notes: &'r mut Vec<Fault>,
}

impl Reading<'_> {
    /// The credential; none where it is refused, with a fault.
    pub(crate) fn credential(&mut self, said: &Authenticator) -> Option<Credential> {
        match said {
            Authenticator::Bearer(token) => Some(self.bearer(token)),
            Authenticator::ApiKey(key) => Some(self.api_key(key)),
            Authenticator::Basic(basic) => Some(self.basic(basic)),
            Authenticator::OAuth(oauth) => self.oauth(oauth),
            Authenticator::Jwt(jwt) => self.jwt(jwt),
            Authenticator::Host(host) => Some(self.in_hosts_words(host)),
            // The dialect knows no choice within a choice.
            Authenticator::Selective(_) => None,
        }
    }

    fn bearer(&mut self, token: &ValueSource) -> Credential {
        let (prefix, _) = split_prefix(&token.text);
        if prefix.is_empty() {
            let mut credential = new("token", "bearer");
            self.secret(&mut credential, "token", token);
            return credential;
        }
        let mut credential = new("token", "header");
        credential.settings = vec![
            setting("header", Value::from("authorization")),
            setting("prefix", Value::from(format!("Bearer {prefix}"))),
        ];
        self.secret(&mut credential, "value", token);
        credential
    }

    fn api_key(&mut self, key: &ApiKey) -> Credential {
        let mut credential = match &key.place {
            ApiKeyPlace::Header(name) => {
                let mut credential = new("api-key", "header");
                credential.settings.push(setting("header", Value::from(name.as_str())));
                let (prefix, _) = split_prefix(&key.key.text);
                if !prefix.is_empty() {
                    credential.settings.push(setting("prefix", Value::from(prefix)));
                }
                credential
            }
            ApiKeyPlace::Parameter(name) => {
                let mut credential = new("api-key", "query");
                credential.settings.push(setting("parameter", Value::from(name.as_str())));
                credential
            }
        };
        self.secret(&mut credential, "value", &key.key);
        credential
    }

    fn basic(&mut self, basic: &Basic) -> Credential {
        let mut credential = new("login", "basic");
        // Where it is a secret, as a key in the place of a name is, the host takes it for one.
        self.public(&mut credential, "username", &basic.username);
        self.secret(&mut credential, "password", &basic.password);
        credential
    }

    fn oauth(&mut self, oauth: &OAuth) -> Option<Credential> {
        let mut credential = new("oauth", "oauth2");
        let grant = match oauth.grant {
            Grant::RefreshToken => "refresh-token",
            Grant::ClientCredentials => "client-credentials",
        };
        let url = self.endpoint(&mut credential, &oauth.token_url)?;
        let authentication = if oauth.names_itself_in_header { "basic" } else { "body" };
        credential.settings = vec![
            setting("grant", Value::from(grant)),
            setting("token_url", Value::from(url)),
            setting("client_authentication", Value::from(authentication)),
        ];
        if !oauth.scopes.is_empty() {
            credential.settings.push(setting("scopes", Value::from(oauth.scopes.clone())));
        }
        if !oauth.parameters.is_empty() {
            credential.settings.push(setting("token_parameters", table(&oauth.parameters)));
        }
        self.public(&mut credential, "client_id", &oauth.client_id);
        if let Some(secret) = &oauth.client_secret {
            self.secret(&mut credential, "client_secret", secret);
        }
        if let (Grant::RefreshToken, Some(token)) = (oauth.grant, &oauth.refresh_token) {
            self.secret(&mut credential, "refresh_token", token);
        }
        Some(credential)
    }

    fn jwt(&mut self, jwt: &Jwt) -> Option<Credential> {
        let mut credential = new("service-account", "jwt-bearer");
        credential.settings = vec![
            setting("algorithm", Value::from(jwt.algorithm)),
            setting("lifetime", Value::from(format!("{} s", jwt.lifetime_s))),
            setting("prefix", Value::from(jwt.prefix.as_str())),
        ];
        if let Some(audience) = &jwt.audience {
            let audience = self.endpoint(&mut credential, audience)?;
            credential.settings.push(setting("token_audience", Value::from(audience)));
        }
        if !jwt.claims.is_empty() {
            credential.settings.push(setting("claims", table(&jwt.claims)));
        }
        self.secret(&mut credential, "private_key", &jwt.private_key);
        let public = [("issuer", &jwt.issuer), ("key_id", &jwt.key_id), ("subject", &jwt.subject)];
        for (field, source) in public {
            if let Some(source) = source {
                self.public(&mut credential, field, source);
            }
        }
        Some(credential)
    }

    /// A URL, or another setting, with the configuration's values in it as the host writes them.
    fn endpoint(&mut self, credential: &mut Credential, template: &Template) -> Option<String> {
        let parameter = |name: &str| template.parameter(name);
        match endpoint::setting(template.source(), &parameter) {
            Ok((text, keys)) => {
                credential.sources.push(template.source().to_owned());
                credential.keys.extend(keys);
                Some(text)
            }
            Err(reason) => {
                let place = template.place().unwrap_or(http_manifest_dialect::Place { line: 1, column: 1 });
                let message = format!("`{}` {reason}", template.source());
                self.faults.push(Fault { place, path: self.path.clone(), message, hint: None });
                None
            }
        }
    }

    /// A field that the host keeps from the connector.
    fn secret(&mut self, credential: &mut Credential, field: &'static str, source: &ValueSource) {
        credential.sources.push(source.text.clone());
        let (_, expression) = split_prefix(&source.text);
        let Some(expression) = expression else {
            if source.text.contains("{{") || source.text.contains("{%") {
                let message = format!("for `{field}` the user enters what `{}` gives", source.text);
                self.note(source, message);
            } else if !source.text.is_empty() {
                self.fault(
                    source,
                    "holds a secret itself: everybody who has the manifest would have it".to_owned(),
                );
            }
            return;
        };
        match meaning(expression) {
            Meaning::Config { key, .. } if is_secret(self.spec, &key) => {
                credential.fields.insert(field, key);
            }
            Meaning::Config { key, .. } if property(self.spec, &key).is_some() => {
                let message = format!(
                    "takes a secret from `{}`, which is not marked `airbyte_secret: true`",
                    key.join(".")
                );
                self.fault(source, message);
            }
            _ => {
                let message = format!("for `{field}` the user enters what `{}` gives", source.text);
                self.note(source, message);
            }
        }
    }

    /// A field that the connector may see.
    fn public(&mut self, credential: &mut Credential, field: &'static str, source: &ValueSource) {
        credential.sources.push(source.text.clone());
        match config_key(&source.text).filter(|key| is_secret(self.spec, key)) {
            Some(key) => {
                credential.fields.insert(field, key);
            }
            None => {
                let message = format!("for `{field}` the user enters what `{}` gives", source.text);
                self.note(source, message);
            }
        }
    }

    fn fault(&mut self, source: &ValueSource, message: String) {
        self.faults.push(Fault { place: source.place, path: self.path.clone(), message, hint: None });
    }

    fn note(&mut self, source: &ValueSource, message: String) {
        self.notes.push(Fault { place: source.place, path: self.path.clone(), message, hint: None });
    }
}

fn setting(name: &str, value: Value) -> (String, Value) {
    (name.to_owned(), value)
}

fn new(name: &str, kind: &str) -> Credential {
    Credential { name: name.to_owned(), kind: kind.to_owned(), ..Credential::default() }
}

fn table(pairs: &[(String, String)]) -> Value {
    Value::Table(
        pairs.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect::<Table>(),
    )
}

/// The text before the one expression that ends a source, and the expression; none where it is made otherwise.
fn split_prefix(source: &str) -> (&str, Option<&str>) {
    let Some((prefix, rest)) = source.split_once("{{") else { return ("", None) };
    let expression = rest.trim_end().strip_suffix("}}");
    match expression {
        Some(expression)
            if !expression.contains("{{") && !expression.contains("}}") && !prefix.contains("{%") =>
        {
            (prefix.trim_start(), Some(expression))
        }
        _ => ("", None),
    }
}

/// The value of the configuration that a source is, as a whole.
fn config_key(source: &str) -> Option<Vec<String>> {
    let ("", Some(expression)) = split_prefix(source) else { return None };
    match meaning(expression) {
        Meaning::Config { key, .. } => Some(key),
        _ => None,
    }
}

fn is_secret(spec: &Spec, key: &[String]) -> bool {
    property(spec, key)
        .is_some_and(|property| property.get("airbyte_secret").and_then(Json::as_bool) == Some(true))
}

/// What the specification says of a value; of several alternatives the first that knows it.
fn property<'s>(spec: &'s Spec, key: &[String]) -> Option<&'s Json> {
    within(spec.connection_specification.as_ref()?, key)
}

fn within<'s>(schema: &'s Json, key: &[String]) -> Option<&'s Json> {
    let Some((first, rest)) = key.split_first() else { return Some(schema) };
    let own = schema.get("properties").and_then(|properties| properties.get(first));
    if let Some(found) = own.and_then(|property| within(property, rest)) {
        return Some(found);
    }
    let alternatives =
        ["oneOf", "anyOf", "allOf"].into_iter().filter_map(|word| schema.get(word)?.as_array());
    alternatives.flatten().find_map(|schema| within(schema, key))
}

#[cfg(test)]
mod tests {
    use super::{config_key, split_prefix};

    #[test]
    fn what_stands_before_the_one_expression_is_a_prefix() {
        assert_eq!(split_prefix("{{ config['a'] }}"), ("", Some(" config['a'] ")));
        assert_eq!(split_prefix("Bearer {{ config['a'] }}"), ("Bearer ", Some(" config['a'] ")));
        for other in ["", "a", "{{ a }}{{ b }}", "{{ a }} x", "{% if a %}{{ b }}", "{{ a"] {
            assert_eq!(split_prefix(other), ("", None), "{other}");
        }
        assert_eq!(config_key("{{ config.a['b'] }}"), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(config_key("x {{ config.a }}"), None);
        assert_eq!(config_key("{{ now_utc() }}"), None);
    }
}
