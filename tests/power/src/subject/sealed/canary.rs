//! Records that are sealed and put nowhere but in a mark. They say whether a key is still to be had, from whatever bytes.

use anyhow::Result;
use vault::{Bucket, Keyring};

use super::Host;
use crate::keyring::{bucket_name, place};
use crate::{hex, keyring};

impl Host {
    /// Says a record that is sealed with the keys of now.
    pub(super) fn canary(&self, name: &str, organization: &str, bucket: Bucket) -> Result<()> {
        let seal =
            |keyring: &Keyring| keyring.seal(&place(organization, bucket), name.as_bytes(), keyring::NOW_MS);
        let record = hex::encode(&self.storage.with_keyring(seal)?);
        self.marks.say(&format!("record {name} {organization} {} {record}", bucket_name(bucket)))
    }

    /// What follows may take away the keys of the canaries with this part in their names.
    pub(super) fn doom(&self, part: &str) -> Result<()> {
        self.marks.say(&format!("doom {part}"))
    }

    /// They are gone.
    pub(super) fn doomed(&self, part: &str) -> Result<()> {
        self.marks.say(&format!("doomed {part}"))
    }
}
