//! What the user is asked for: a JSON Schema of the configuration, in which some values are marked as secrets.

use serde_json::{Map, Value as Json};

use crate::component::{Component, Fields, Kind};

/// What the user is asked for.
#[derive(Debug, Default)]
pub struct Spec {
    /// The JSON Schema of the configuration; none where nothing is said.
    pub connection_specification: Option<Json>,
    /// Where people find more.
    pub documentation_url: Option<String>,
}

impl Spec {
    /// The configuration with defaults filled in and secrets left out: no template ever sees one, since credentials are
    /// placed by the host.
    pub fn visible(&self, config: &Json) -> Json {
        let mut visible = config.clone();
        if let Some(schema) = &self.connection_specification {
            fill_defaults(schema, &mut visible);
            remove_secrets(schema, &mut visible);
        }
        visible
    }

    /// Required values of the first level that a configuration does not have; secrets are not missed.
    pub fn missing<'s>(&'s self, config: &Json) -> Vec<&'s str> {
        let schema = self.connection_specification.as_ref();
        let required = schema.and_then(|schema| schema.get("required")).and_then(Json::as_array);
        let names = required.into_iter().flatten().filter_map(Json::as_str);
        let is_secret = |name: &str| {
            schema.and_then(|schema| schema.pointer(&format!("/properties/{name}"))).is_some_and(is_secret)
        };
        names.filter(|name| config.get(name).is_none_or(Json::is_null) && !is_secret(name)).collect()
    }
}

/// Whether a property is a secret.
fn is_secret(property: &Json) -> bool {
    property.get("airbyte_secret").and_then(Json::as_bool) == Some(true)
}

fn properties(schema: &Json) -> impl Iterator<Item = (&String, &Json)> {
    schema.get("properties").and_then(Json::as_object).into_iter().flatten()
}

fn fill_defaults(schema: &Json, config: &mut Json) {
    let Json::Object(members) = config else { return };
    for (name, property) in properties(schema) {
        match (members.get_mut(name), property.get("default")) {
            (Some(present), _) => fill_defaults(property, present),
            (None, Some(default)) => {
                members.insert(name.clone(), default.clone());
            }
            (None, None) => {}
        }
    }
}

fn remove_secrets(schema: &Json, config: &mut Json) {
    for (name, property) in properties(schema) {
        if is_secret(property) {
            config.as_object_mut().map(|members: &mut Map<_, _>| members.remove(name));
        } else if let Some(present) = config.get_mut(name) {
            remove_secrets(property, present);
        }
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        for schema in schema.get(choice).and_then(Json::as_array).into_iter().flatten() {
            remove_secrets(schema, config);
        }
    }
}

pub(crate) const KINDS: [Kind<Spec>; 1] = [Kind { name: "Spec", read }];

fn read(component: &Component<'_>) -> Spec {
    component.check_fields(&Fields {
        read: &["connection_specification", "documentation_url", "advanced_auth"],
        ignored: &[],
        later: &[("config_normalization_rules", "changes of the configuration")],
    });
    if let Some(item) = component.field("advanced_auth") {
        item.note("how a user signs in is ignored: the host places credentials");
    }
    let documentation_url = component.field("documentation_url").and_then(|item| item.scalar_text());
    let connection_specification = component.required("connection_specification").map(|item| {
        if item.layers().is_none() {
            item.expected("a mapping");
        }
        item.json()
    });
    Spec { connection_specification, documentation_url }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Spec;

    #[test]
    fn templates_see_defaults_and_no_secrets() {
        let specification = json!({
            "required": ["start", "api_key", "region"],
            "properties": {
                "api_key": {"airbyte_secret": true},
                "region": {"default": "eu"},
                "start": {"type": "string"},
                "credentials": {"oneOf": [{"properties": {"token": {"airbyte_secret": true}, "kind": {}}}]},
            },
        });
        let spec = Spec { connection_specification: Some(specification), documentation_url: None };
        let config = json!({"api_key": "s3cret", "credentials": {"token": "s3cret", "kind": "a"}, "more": 1});
        let visible = json!({"region": "eu", "credentials": {"kind": "a"}, "more": 1});
        assert_eq!(spec.visible(&config), visible);
        assert_eq!(spec.missing(&visible), ["start"]);
        assert_eq!(Spec::default().visible(&config), config);
    }
}
