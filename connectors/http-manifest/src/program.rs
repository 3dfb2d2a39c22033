//! What the connector was given: a manifest, and the user's configuration for it.
//!
//! Packaged with a manifest, the host puts its text under `$program` beside the user's own keys. By itself the
//! connector takes `{"manifest": "…", "config": {…}}`.

use cofferdam_sdk::{Error, FieldFault, Result};
use http_manifest_dialect::{Manifest, PROGRAM_KEY, Stream};
use serde_json::{Map, Value};

use crate::failure;

/// What the connector was given.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) manifest: Manifest,
    /// The user's configuration with defaults, without secrets.
    pub(crate) config: Value,
}

/// Reads the configuration and the manifest in it.
pub(crate) fn load(mut given: Map<String, Value>) -> Result<Program> {
    if let Some(program) = given.remove(PROGRAM_KEY) {
        return read("/$program", &program, "", &Value::Object(given));
    }
    let Some(manifest) = given.remove("manifest") else {
        return Err(Error::config("", "`manifest` is missing: the text of a manifest.yaml"));
    };
    let config = given.remove("config").unwrap_or_else(|| Value::Object(Map::new()));
    // What the connector may reach; the host asks for it, nothing else looks at it.
    given.remove("base_url");
    if let Some(key) = given.keys().next() {
        let message = "is unknown; values for the manifest stand under `config`";
        return Err(Error::config(format!("/{key}"), message));
    }
    if !config.is_object() {
        return Err(Error::config("/config", "must be an object"));
    }
    let program = read("/manifest", &manifest, "/config", &config)?;
    if program.manifest.streams.iter().any(|stream| stream.retriever.requester.authenticator.is_some()) {
        log::info!("requests are sent without a credential: only a packaged manifest asks the host for one");
    }
    Ok(program)
}

fn read(path: &str, text: &Value, config_path: &str, config: &Value) -> Result<Program> {
    let text = text.as_str().ok_or_else(|| Error::config(path, "must be the text of a manifest.yaml"))?;
    let manifest = Manifest::parse(text).map_err(|faults| failure::manifest(path, &faults))?;
    for note in &manifest.notes {
        log::info!("manifest: {note}");
    }
    let config = manifest.spec.visible(config);
    let missing = manifest
        .spec
        .missing(&config)
        .into_iter()
        .map(|name| FieldFault { path: format!("{config_path}/{name}"), message: "is missing".to_owned() });
    let missing: Vec<FieldFault> = missing.collect();
    if missing.is_empty() { Ok(Program { manifest, config }) } else { Err(Error::Config(missing)) }
}

impl Program {
    pub(crate) fn stream(&self, name: &str) -> Result<&Stream> {
        self.manifest
            .stream(name)
            .ok_or_else(|| Error::config("", format!("the manifest has no stream `{name}`")))
    }
}

#[cfg(test)]
mod tests {
    use cofferdam_sdk::{Error, Result};
    use serde_json::{Value, json};

    use super::{Program, load};

    const MANIFEST: &str = "version: 1.0.0\ntype: DeclarativeSource\ncheck: {stream_names: [a]}\nspec:\n  \
        connection_specification: {required: [key, day], properties: {key: {airbyte_secret: true}, day: {type: string}}}\n\
        streams:\n- name: a\n  retriever:\n    requester: {url_base: \"https://a.test\"}\n    \
        record_selector: {extractor: {field_path: []}}\n";

    fn given(config: &Value) -> Result<Program> {
        load(config.as_object().unwrap().clone())
    }

    fn fault(config: &Value) -> (String, String) {
        let Err(Error::Config(faults)) = given(config) else { panic!("{config} was accepted") };
        (faults[0].path.clone(), faults[0].message.clone())
    }

    #[test]
    fn a_packaged_manifest_stands_beside_the_users_values() {
        let program = given(&json!({"$program": MANIFEST, "day": "2024-01-01", "key": "s3cret"})).unwrap();
        assert_eq!(program.config, json!({"day": "2024-01-01"}));
        assert_eq!(fault(&json!({"$program": MANIFEST})), ("/day".to_owned(), "is missing".to_owned()));
    }

    #[test]
    fn by_itself_the_connector_takes_a_manifest_and_its_values() {
        let config = json!({"manifest": MANIFEST, "config": {"day": "x"}, "base_url": "https://a.test"});
        assert_eq!(given(&config).unwrap().config, json!({"day": "x"}));
        assert!(fault(&json!({"config": {}})).1.contains("`manifest` is missing"));
        assert_eq!(fault(&json!({"manifest": MANIFEST})).0, "/config/day");
        assert_eq!(fault(&json!({"manifest": MANIFEST, "day": "x"})).0, "/day");
        assert_eq!(fault(&json!({"manifest": MANIFEST, "config": []})).0, "/config");
        assert_eq!(fault(&json!({"manifest": 7})).0, "/manifest");
        let (path, message) = fault(&json!({"manifest": "version: 1\nstrems: []"}));
        assert_eq!(path, "/manifest");
        assert!(message.starts_with("line "), "{message}");
    }
}
