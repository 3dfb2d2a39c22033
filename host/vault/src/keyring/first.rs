//! The first write of a keyring: made new, or out of an export.

use sha2::{Digest, Sha256};

use super::commit::encode;
use super::format::{Body, Header, bucket_context, root_context};
use super::keys::Keys;
use super::{Keyring, Location};
use crate::bucket::Bucket;
use crate::deployment::DeploymentId;
use crate::envelope::{Purpose, key_id, wrap};
use crate::error::Error;
use crate::files::{Guard, Lock, replace};
use crate::secret::Key;

/// What a keyring starts with.
pub(super) struct Contents {
    pub(super) deployment: DeploymentId,
    pub(super) sequence: u64,
    pub(super) root: Key,
    pub(super) body: Body,
    pub(super) keys: Keys,
}

impl Keyring {
    /// Makes a keyring without organizations, with the key of the standing bucket.
    ///
    /// # Errors
    /// When there is one already, or the slot is in use by one, or something cannot be written.
    pub fn create(location: Location, deployment: DeploymentId) -> Result<Self, Error> {
        let (root, standing) = (Key::random()?, Key::random()?);
        let context = bucket_context(&deployment, Bucket::Standing);
        let wrapped = wrap(&root, Purpose::BucketKey, &context, standing.expose())?;
        let mut body = Body::default();
        body.buckets.insert(Bucket::Standing, wrapped);
        let mut keys = Keys::default();
        keys.buckets.insert(Bucket::Standing, standing);
        Self::write_first(location, Contents { deployment, sequence: 1, root, body, keys })
    }

    pub(super) fn write_first(location: Location, contents: Contents) -> Result<Self, Error> {
        let lock = location.lock()?;
        if location.files.read(&location.path, Guard::Private)?.is_some() {
            return Err(Self::exists(&location.path));
        }
        let Contents { deployment, sequence, root, body, keys } = contents;
        let kek = location.kek.current(&deployment)?;
        location.check_slot()?;
        let shred = location.slot.is_some().then(Key::random).transpose()?;
        let header = Header {
            deployment,
            sequence,
            kek: kek.id(),
            wrapped_root: wrap(kek.key(), Purpose::RootKey, &root_context(&deployment), root.expose())?,
            hint: kek.hint().to_vec(),
            shred: shred.as_ref().map(key_id),
        };
        if let (Some(slot), Some(key)) = (&location.slot, &shred) {
            // The keyring of this key may only be out of sight, on a disk that is not mounted.
            if !slot.is_empty(&deployment)? {
                return Err(Error::Exists { what: "shred key", path: slot.path().to_owned() });
            }
            slot.add(&deployment, key, None)?;
        }
        let bytes = encode(&header, &body, shred.as_ref(), &root)?;
        replace(location.files.as_ref(), &location.path, &bytes)?;
        let digest = Sha256::digest(&bytes).into();
        let lock: Option<Lock> = Some(lock);
        let keyring = Self { location, header, body, root, keys, shred, digest, lock, is_stopped: false };
        keyring.set_reserved();
        Ok(keyring)
    }
}
