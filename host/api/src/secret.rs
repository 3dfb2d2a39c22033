//! Secrets in bodies: read straight into what wipes itself, and shown only where they are made.

use control::Secret;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A secret that somebody sends, or is sent once. Without `Debug`.
pub(crate) struct SecretText(pub(crate) Secret);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = SecretText;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SecretText, E> {
                if text.len() > SECRET_BYTES_MAX {
                    return Err(E::custom(format_args!("expected at most {SECRET_BYTES_MAX} bytes")));
                }
                Ok(SecretText(Secret::new(text.to_owned())))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// No secret is longer; `control` has shorter limits of its own.
const SECRET_BYTES_MAX: usize = 4_096;

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}
