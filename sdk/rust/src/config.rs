//! Reads a configuration or a checkpoint from JSON. A fault of the configuration names its field.

use serde::{Serialize, de::DeserializeOwned};
use serde_path_to_error::{Path, Segment};

use crate::{Error, Result};

/// The configuration as the connector's own type; a fault becomes [`Error::Config`] with the field's JSON Pointer.
///
/// ```
/// use cofferdam_sdk::Error;
///
/// #[derive(serde::Deserialize)]
/// struct Config {
///     #[expect(dead_code)]
///     ports: Vec<u16>,
/// }
///
/// let Err(Error::Config(faults)) = cofferdam_sdk::parse_config::<Config>(r#"{"ports": [80, "http"]}"#) else {
///     panic!("a text is no port");
/// };
/// assert_eq!(faults[0].path, "/ports/1");
/// assert_eq!(faults[0].message, "invalid type: string \"http\", expected u16");
/// ```
pub fn parse_config<T: DeserializeOwned>(config: &str) -> Result<T> {
    // Over a tree rather than over the text: positions in a text that no person ever saw would only confuse.
    let tree: serde_json::Value =
        serde_json::from_str(config).map_err(|fault| Error::config("", format!("is not JSON: {fault}")))?;
    // Serde would take an array for a struct, value by value.
    if tree.is_array() {
        return Err(Error::config("", "must be an object"));
    }
    serde_path_to_error::deserialize(tree)
        .map_err(|fault| Error::config(pointer(fault.path()), fault.inner().to_string()))
}

fn pointer(path: &Path) -> String {
    let mut pointer = String::new();
    for segment in path {
        match segment {
            Segment::Seq { index } => pointer.push_str(&format!("/{index}")),
            Segment::Map { key } => {
                pointer.push('/');
                pointer.push_str(&key.replace('~', "~0").replace('/', "~1"));
            }
            Segment::Enum { .. } | Segment::Unknown => {}
        }
    }
    pointer
}

/// A position that this source gave earlier. Only the source understands it.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint(String);

impl Checkpoint {
    /// From its JSON text.
    pub fn from_json(json: impl Into<String>) -> Self {
        Self(json.into())
    }

    /// From any value that serde can write.
    pub fn new(position: &impl Serialize) -> Result<Self> {
        serde_json::to_string(position)
            .map(Self)
            .map_err(|fault| Error::bug(format!("a checkpoint that is not JSON: {fault}")))
    }

    /// Its JSON text.
    pub fn as_json(&self) -> &str {
        &self.0
    }

    /// Its JSON text, owned.
    pub fn into_json(self) -> String {
        self.0
    }

    /// As the source's own type.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.0)
            .map_err(|fault| Error::data(format!("cannot go on from the checkpoint `{}`: {fault}", self.0)))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::{Checkpoint, parse_config};
    use crate::Error;

    #[derive(Debug, Deserialize)]
    struct Config {
        #[serde(default, rename = "streams")]
        _streams: BTreeMap<String, Vec<u32>>,
    }

    fn check(config: &str, path: &str, message: &str) {
        let Err(Error::Config(faults)) = parse_config::<Config>(config) else {
            panic!("`{config}` was accepted")
        };
        assert_eq!((faults[0].path.as_str(), faults[0].message.as_str()), (path, message));
    }

    #[test]
    fn a_fault_is_shown_at_its_field() {
        check(
            r#"{"streams": {"a/b~c": [1, -2]}}"#,
            "/streams/a~1b~0c/1",
            "invalid value: integer `-2`, expected u32",
        );
        check("[]", "", "must be an object");
        check("{", "", "is not JSON: EOF while parsing an object at line 1 column 1");
    }

    #[test]
    fn a_checkpoint_comes_back_as_it_went() {
        let checkpoint = Checkpoint::new(&(3, "x")).unwrap();
        assert_eq!(checkpoint.as_json(), r#"[3,"x"]"#);
        assert_eq!(checkpoint.parse::<(u8, String)>().unwrap(), (3, "x".to_owned()));
        assert!(matches!(checkpoint.parse::<bool>(), Err(Error::Data(_))));
    }
}
