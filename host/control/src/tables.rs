//! What is kept, in which class, and under which keys. Keys hold ids and numbers; never a name, an address or a secret.

use storage::Table;
use vault::Class;

const fn table(name: &'static str, class: Class) -> Table {
    Table { name, class, schema_version: 1 }
}

/// `log`: how many entries it has, and the roots of the tree's perfect parts.
pub(crate) const AUDIT_HEADS: Table = table("audit_heads", Class::Metadata);
/// `log | number`: an entry, byte for byte as it was hashed.
pub(crate) const AUDIT_ENTRIES: Table = table("audit_entries", Class::Metadata);
/// `log | level | number`: the hash of a perfect part of the tree that is larger than one entry.
pub(crate) const AUDIT_NODES: Table = table("audit_nodes", Class::Metadata);
/// One record: the seed of the key that signs checkpoints.
pub(crate) const AUDIT_SIGNER: Table = table("audit_signer", Class::Credentials);
/// `person`, in the organization whose log it is: the key of this person's fields in the log.
pub(crate) const AUDIT_PERSONS: Table = table("audit_persons", Class::Credentials);

/// `user`: address of e-mail, since when it is known.
pub(crate) const USERS: Table = table("users", Class::Metadata);
/// `keyed hash of an address of e-mail`: whose it is.
pub(crate) const EMAILS: Table = table("user_emails", Class::Metadata);
/// `user`: hash of the password.
pub(crate) const PASSWORDS: Table = table("user_passwords", Class::Credentials);
/// `user`: whether a second factor is asked for, and which codes are spent.
pub(crate) const SECOND_FACTORS: Table = table("user_second_factors", Class::Credentials);
/// `user`: the secret that the authenticator has too.
pub(crate) const TOTP_SECRETS: Table = table("user_totp_secrets", Class::Credentials);
/// One record: the digest of the token that makes the first operator.
pub(crate) const SETUP: Table = table("setup", Class::Credentials);

/// Builds a key of parts, none of which can be taken for another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Key(Vec<u8>);

impl Key {
    /// An id. Ids are drawn here and short; one that is not stands by nothing else and finds nothing.
    pub(crate) fn of(id: &str) -> Self {
        Self::default().id(id)
    }

    pub(crate) fn id(mut self, id: &str) -> Self {
        self.0.extend_from_slice(&u32::try_from(id.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.0.extend_from_slice(id.as_bytes());
        self
    }

    /// In the order of numbers.
    pub(crate) fn number(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    pub(crate) fn byte(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }
}

impl std::ops::Deref for Key {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Key> for Vec<u8> {
    fn from(key: Key) -> Self {
        key.0
    }
}
