//! The bytes of the keyring file. Only wrapped keys are here, so nothing in it is secret.
//!
//! ```text
//! magic 8 | version u16 | deployment 16 | sequence u64 | KEK id 16 | hint | root key under the KEK
//! | 0, or 1 and the shred key's id 16 | body under the shred key (without a slot: under a key of the root key)
//! ```
//! The body is bound to all that stands before it.

use std::collections::BTreeMap;

use crate::bucket::Bucket;
use crate::codec::{Reader, put_count, put_counted};
use crate::deployment::{DeploymentId, KeyId};

const MAGIC: &[u8; 8] = b"COFFRING";
pub(super) const VERSION: u16 = 1;

/// What stands before the body.
#[derive(Clone)]
pub(super) struct Header {
    pub(super) deployment: DeploymentId,
    /// Grows by one with each write.
    pub(super) sequence: u64,
    pub(super) kek: KeyId,
    pub(super) hint: Vec<u8>,
    pub(super) wrapped_root: Vec<u8>,
    /// None: the keyring was made without a slot.
    pub(super) shred: Option<KeyId>,
}

/// Why a header is not read.
pub(super) enum HeaderFault {
    NotAKeyring,
    Newer(u16),
}

impl Header {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(self.deployment.as_bytes());
        bytes.extend_from_slice(&self.sequence.to_be_bytes());
        bytes.extend_from_slice(self.kek.as_bytes());
        put_counted(&mut bytes, &self.hint);
        put_counted(&mut bytes, &self.wrapped_root);
        bytes.push(self.shred.is_some().into());
        if let Some(id) = &self.shred {
            bytes.extend_from_slice(id.as_bytes());
        }
        bytes
    }

    /// The header and the sealed body.
    pub(super) fn decode(bytes: &[u8]) -> Result<(Self, &[u8]), HeaderFault> {
        let mut reader = Reader::new(bytes);
        if reader.array() != Some(*MAGIC) {
            return Err(HeaderFault::NotAKeyring);
        }
        match reader.u16() {
            Some(version) if version > VERSION => return Err(HeaderFault::Newer(version)),
            Some(VERSION) => {}
            _ => return Err(HeaderFault::NotAKeyring),
        }
        Self::read(reader).ok_or(HeaderFault::NotAKeyring)
    }

    fn read(mut reader: Reader<'_>) -> Option<(Self, &[u8])> {
        let header = Self {
            deployment: DeploymentId::from_bytes(reader.array()?),
            sequence: reader.u64()?,
            kek: KeyId::from_bytes(reader.array()?),
            hint: reader.counted()?.to_vec(),
            wrapped_root: reader.counted()?.to_vec(),
            shred: match reader.u8()? {
                0 => None,
                1 => Some(KeyId::from_bytes(reader.array()?)),
                _ => return None,
            },
        };
        let body = reader.counted()?;
        reader.end()?;
        Some((header, body))
    }
}

/// A generation of an organization's key.
#[derive(Clone)]
pub(super) struct GenerationEntry {
    pub(super) number: u32,
    /// No more messages than these were sealed.
    pub(super) reserved: u64,
    pub(super) wrapped: Vec<u8>,
}

/// Every key but the root key.
#[derive(Clone, Default)]
pub(super) struct Body {
    /// Generations oldest first, at least one.
    pub(super) organizations: BTreeMap<String, Vec<GenerationEntry>>,
    pub(super) buckets: BTreeMap<Bucket, Vec<u8>>,
    /// How often keys were destroyed.
    pub(super) shreds: u64,
}

impl Body {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = self.shreds.to_be_bytes().to_vec();
        put_count(&mut bytes, self.organizations.len());
        for (organization, generations) in &self.organizations {
            put_counted(&mut bytes, organization.as_bytes());
            put_count(&mut bytes, generations.len());
            for generation in generations {
                bytes.extend_from_slice(&generation.number.to_be_bytes());
                bytes.extend_from_slice(&generation.reserved.to_be_bytes());
                put_counted(&mut bytes, &generation.wrapped);
            }
        }
        put_count(&mut bytes, self.buckets.len());
        for (bucket, wrapped) in &self.buckets {
            bytes.extend_from_slice(&bucket.encode());
            put_counted(&mut bytes, wrapped);
        }
        bytes
    }

    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        let shreds = reader.u64()?;
        let organizations = reader.list(|reader| {
            let organization = reader.counted_text()?.to_owned();
            let generations = reader.list(read_generation)?;
            (!generations.is_empty()).then_some((organization, generations))
        })?;
        let buckets = reader.list(|reader| Some((Bucket::read(reader)?, reader.counted()?.to_vec())))?;
        reader.end()?;
        Some(Self {
            organizations: organizations.into_iter().collect(),
            buckets: buckets.into_iter().collect(),
            shreds,
        })
    }
}

fn read_generation(reader: &mut Reader<'_>) -> Option<GenerationEntry> {
    Some(GenerationEntry {
        number: reader.u32()?,
        reserved: reader.u64()?,
        wrapped: reader.counted()?.to_vec(),
    })
}

/// What a wrapped root key is bound to.
pub(super) fn root_context(deployment: &DeploymentId) -> Vec<u8> {
    deployment.as_bytes().to_vec()
}

/// What a generation of an organization's key is bound to.
pub(super) fn organization_context(
    deployment: &DeploymentId,
    organization: &str,
    generation: u32,
) -> Vec<u8> {
    let mut bytes = deployment.as_bytes().to_vec();
    put_counted(&mut bytes, organization.as_bytes());
    bytes.extend_from_slice(&generation.to_be_bytes());
    bytes
}

/// What the key of a bucket is bound to.
pub(super) fn bucket_context(deployment: &DeploymentId, bucket: Bucket) -> Vec<u8> {
    let mut bytes = deployment.as_bytes().to_vec();
    bytes.extend_from_slice(&bucket.encode());
    bytes
}
