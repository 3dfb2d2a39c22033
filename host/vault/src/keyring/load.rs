//! Reads the keyring file and unwraps every key in it. Changes nothing.

use sha2::{Digest, Sha256};

use super::format::{Body, Header, HeaderFault, VERSION, root_context};
use super::keys::Keys;
use super::{Keyring, Location, WHAT};
use crate::deployment::DeploymentId;
use crate::envelope::{Purpose, UnwrapError, derived, unwrap, unwrap_key};
use crate::error::Error;
use crate::files::Guard;
use crate::kek::WantedKek;
use crate::secret::Key;

/// How often a reader beside a writer starts again because the file was replaced meanwhile.
const ATTEMPTS: usize = 3;

pub(super) fn load(location: Location, expected: Option<&DeploymentId>) -> Result<Keyring, Error> {
    let bytes = read(&location)?;
    load_bytes(location, expected, &bytes)
}

/// The file and the slot are two: a writer may replace one between our reading of both.
pub(super) fn load_beside_a_writer(
    location: &Location,
    expected: Option<&DeploymentId>,
) -> Result<Keyring, Error> {
    let mut bytes = read(location)?;
    for _ in 1..ATTEMPTS {
        let loaded = load_bytes(location.clone(), expected, &bytes);
        let again = read(location)?;
        if loaded.is_ok() || again == bytes {
            return loaded;
        }
        bytes = again;
    }
    load_bytes(location.clone(), expected, &bytes)
}

pub(super) fn read(location: &Location) -> Result<Vec<u8>, Error> {
    let bytes = location.files.read(&location.path, Guard::Private)?;
    bytes.ok_or_else(|| Error::Missing { what: WHAT, path: location.path.clone() })
}

/// The key of the body of a keyring without a slot.
pub(super) fn body_key_without_slot(root: &Key) -> Key {
    derived(root, b"cofferdam body without slot 1")
}

fn load_bytes(location: Location, expected: Option<&DeploymentId>, bytes: &[u8]) -> Result<Keyring, Error> {
    let (header, sealed_body) = decode_header(&location, bytes)?;
    let deployment = header.deployment;
    if let Some(expected) = expected.filter(|expected| **expected != deployment) {
        let path = location.path.clone();
        return Err(Error::OtherDeployment { what: WHAT, path, found: deployment, expected: *expected });
    }
    let kek = location.kek.find(&WantedKek { deployment, id: header.kek, hint: &header.hint })?;
    let root = unwrap_key(kek.key(), Purpose::RootKey, &root_context(&deployment), &header.wrapped_root);
    let root = root.map_err(|source| damaged(&location, "the root key", Some(source)))?;
    let shred = find_shred_key(&location, &header)?;
    let without_slot;
    let body_key = match &shred {
        Some(key) => key,
        None => {
            without_slot = body_key_without_slot(&root);
            &without_slot
        }
    };
    let body = unwrap(body_key, Purpose::Body, &header.encode(), sealed_body);
    let body = body.map_err(|source| damaged(&location, "the body", Some(source)))?;
    let body = Body::decode(body.expose()).ok_or_else(|| damaged(&location, "the body", None))?;
    let keys = Keys::unwrap(&root, &deployment, &body);
    let keys = keys.map_err(|fault| damaged(&location, &fault.key, Some(fault.source)))?;
    let digest = Sha256::digest(bytes).into();
    Ok(Keyring { location, header, body, root, keys, shred, digest, lock: None, is_stopped: false })
}

fn decode_header<'a>(location: &Location, bytes: &'a [u8]) -> Result<(Header, &'a [u8]), Error> {
    Header::decode(bytes).map_err(|fault| match fault {
        HeaderFault::NotAKeyring => damaged(location, "its header", None),
        HeaderFault::Newer(found) => {
            Error::Newer { what: WHAT, path: location.path.clone(), found, known: VERSION }
        }
    })
}

/// None: the keyring was made without a slot, and one that is named now changes nothing for it.
fn find_shred_key(location: &Location, header: &Header) -> Result<Option<Key>, Error> {
    let Some(id) = header.shred else {
        return Ok(None);
    };
    let slot = location.slot.as_ref().ok_or_else(|| Error::SlotMissing { path: location.path.clone() })?;
    let key = slot.find(&header.deployment, &id)?;
    key.map(Some).ok_or_else(|| Error::Shredded { path: location.path.clone(), wanted: id })
}

fn damaged(location: &Location, part: &str, source: Option<UnwrapError>) -> Error {
    Error::Damaged { what: WHAT, path: location.path.clone(), part: part.to_owned(), source }
}
