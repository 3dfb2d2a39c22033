//! What is kept of a credential: named fields whose values are wiped when they are dropped and printed by nobody.

use std::collections::BTreeMap;
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretBox};

/// A text that is wiped when it is dropped: without `Debug`, `Display` and `Serialize`.
pub struct Secret(SecretBox<String>);

impl Secret {
    /// This text, which from now on is wiped. Copies that the caller made are the caller's part.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(SecretBox::new(Box::new(text)))
    }

    /// The text, for as long as it is needed.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Which state of a stored credential a material is: whatever changes it gives it another number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Generation(pub u64);

/// Names of the fields that the host itself keeps beside what an administrator entered. The tokens are secret.
pub mod field {
    /// The token that is placed.
    pub const ACCESS_TOKEN: &str = "access_token";
    /// When the access token ends, in seconds since 1970 of this machine's clock.
    pub const EXPIRES_AT: &str = "expires_at";
    /// When the access token is renewed before it ends, in seconds since 1970 of this machine's clock.
    pub const REFRESH_AT: &str = "refresh_at";
    /// The token that a refresh spends.
    pub const REFRESH_TOKEN: &str = "refresh_token";
}

/// The fields of one credential. Clones share the values.
#[derive(Clone, Default)]
pub struct Material {
    generation: Generation,
    is_redeeming: bool,
    fields: Arc<BTreeMap<String, Arc<Secret>>>,
}

impl Material {
    /// No fields yet.
    #[must_use]
    pub fn new(generation: Generation) -> Self {
        Self { generation, ..Self::default() }
    }

    /// The same with this field, which replaces one of its name.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: Secret) -> Self {
        Arc::make_mut(&mut self.fields).insert(name.into(), Arc::new(value));
        self
    }

    /// The same without this field.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        Arc::make_mut(&mut self.fields).remove(name);
        self
    }

    /// The same as another state.
    #[must_use]
    pub fn at(mut self, generation: Generation) -> Self {
        self.generation = generation;
        self
    }

    /// The same with the mark of [`Credentials::mark`](super::Credentials::mark), or without it.
    #[must_use]
    pub fn redeeming(mut self, is_redeeming: bool) -> Self {
        self.is_redeeming = is_redeeming;
        self
    }

    /// Does it bear the mark? Then an exchange of its refresh token has begun, and no end of it was kept.
    #[must_use]
    pub fn is_redeeming(&self) -> bool {
        self.is_redeeming
    }

    /// Which state this is.
    #[must_use]
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// The value of a field. An empty one is none.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(|secret| secret.expose()).filter(|text| !text.is_empty())
    }

    /// All fields, for whoever keeps them.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, secret)| (name.as_str(), secret.expose()))
    }

    /// A number that the host keeps in a field.
    pub(crate) fn seconds(&self, name: &str) -> Option<u64> {
        self.get(name).and_then(|text| text.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use static_assertions::{assert_impl_all, assert_not_impl_any};

    use super::{Generation, Material, Secret};

    assert_not_impl_any!(Secret: Clone, std::fmt::Debug, std::fmt::Display, serde::Serialize);
    assert_not_impl_any!(Material: std::fmt::Debug, std::fmt::Display, serde::Serialize);
    assert_impl_all!(secrecy::SecretBox<String>: zeroize::ZeroizeOnDrop);

    #[test]
    fn a_field_is_replaced_and_removed_and_an_empty_one_is_none() {
        let secret = |text: &str| Secret::new(text.to_owned());
        let material = Material::new(Generation(3)).with("a", secret("1")).with("b", secret(""));
        assert_eq!((material.get("a"), material.get("b"), material.get("c")), (Some("1"), None, None));
        let material = material.with("a", secret("2")).without("b").at(Generation(4));
        assert_eq!(material.fields().collect::<Vec<_>>(), [("a", "2")]);
        assert_eq!(material.generation(), Generation(4));
    }
}
