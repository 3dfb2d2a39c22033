//! Tables: what records have in common. Declared as constants by the crates that know what the values mean.

use vault::{Bucket, Class};

/// What records of one kind have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    /// Its name, which is on disk in the clear: names of kinds, never of anyone's data.
    pub name: &'static str,
    /// Records of different classes never share a data key.
    pub class: Class,
    /// The version in which values are written. Older ones are read too: [`Found`](crate::Found) says which it is.
    pub schema_version: u32,
}

/// How long a record lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// Until it is deleted, or its organization.
    Standing,
    /// Until this moment at the latest, in milliseconds since the epoch; rounded down to the hour for lives of up to 24
    /// hours, otherwise to the day, because records that end together share the key that is destroyed then. To be reckoned
    /// from [`Storage::now_ms`](crate::Storage::now_ms). What has ended when it is rounded is refused (CD0905).
    Until(u64),
}

impl Life {
    pub(crate) fn bucket(self, now_ms: u64) -> Bucket {
        match self {
            Self::Standing => Bucket::Standing,
            Self::Until(expires_ms) => Bucket::expiring(now_ms, expires_ms),
        }
    }
}
