//! The keyring sealed to an operator's recovery key, for the day on which the machine is lost.
//!
//! `magic 8 | version u16 | deployment 16 | sequence u64 | shreds u64 | key id 16 | hint | root key and body under the
//! recovery key`. An export opens all that was not destroyed when it was made: it is to be made anew after each shred,
//! and the former one destroyed by whoever keeps it.

use std::path::PathBuf;

use zeroize::Zeroizing;

use super::first::Contents;
use super::format::Body;
use super::keys::Keys;
use super::{Keyring, Location};
use crate::codec::{Reader, put_counted};
use crate::deployment::{DeploymentId, KeyId};
use crate::envelope::{Purpose, UnwrapError, unwrap, wrap};
use crate::error::Error;
use crate::kek::{KekProvider, WantedKek};
use crate::secret::Key;

const MAGIC: &[u8; 8] = b"COFFEXPT";
const VERSION: u16 = 1;

/// What an export says of itself, without being opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExportSummary {
    /// The deployment; its key file and slot are made for it before an import.
    pub deployment: DeploymentId,
    /// How often the keyring had been written.
    pub sequence: u64,
    /// How often keys had been destroyed. Fewer than [`Status::shreds`](crate::Status::shreds): this export opens what
    /// was destroyed since.
    pub shreds: u64,
    /// The name of the recovery key.
    pub key: KeyId,
}

impl ExportSummary {
    /// Reads the start of an export.
    ///
    /// # Errors
    /// When it is none, or a newer one.
    pub fn parse(export: &[u8]) -> Result<Self, Error> {
        Parsed::parse(export).map(|parsed| parsed.summary)
    }
}

impl Keyring {
    /// The keyring, sealed to a recovery key or to a passphrase.
    ///
    /// # Errors
    /// When the recovery key is not to be had.
    pub fn export(&self, recovery: &dyn KekProvider) -> Result<Vec<u8>, Error> {
        let kek = recovery.current(&self.header.deployment)?;
        let body = self.body.encode();
        let mut secret = Zeroizing::new(Vec::with_capacity(32 + body.len()));
        secret.extend_from_slice(self.root.expose());
        secret.extend_from_slice(&body);
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(self.header.deployment.as_bytes());
        bytes.extend_from_slice(&self.header.sequence.to_be_bytes());
        bytes.extend_from_slice(&self.body.shreds.to_be_bytes());
        bytes.extend_from_slice(kek.id().as_bytes());
        put_counted(&mut bytes, kek.hint());
        let sealed = wrap(kek.key(), Purpose::Export, &bytes, &secret)?;
        put_counted(&mut bytes, &sealed);
        Ok(bytes)
    }

    /// Makes a keyring out of an export, under the KEK and the slot of `location`.
    ///
    /// # Errors
    /// When there is a keyring already, the recovery key is another one, or the export was changed.
    pub fn import(location: Location, export: &[u8], recovery: &dyn KekProvider) -> Result<Self, Error> {
        let parsed = Parsed::parse(export)?;
        let ExportSummary { deployment, sequence, key: id, .. } = parsed.summary;
        let kek = recovery.find(&WantedKek { deployment, id, hint: parsed.hint })?;
        let secret = unwrap(kek.key(), Purpose::Export, parsed.before, parsed.sealed);
        let secret = secret.map_err(|source| damaged("its contents", Some(source)))?;
        let (root, body) =
            secret.expose().split_at_checked(32).ok_or_else(|| damaged("its contents", None))?;
        let root = Key::from_slice(root).ok_or_else(|| damaged("its root key", None))?;
        let body = Body::decode(body).ok_or_else(|| damaged("its contents", None))?;
        let keys = Keys::unwrap(&root, &deployment, &body);
        let keys = keys.map_err(|fault| damaged("a key in it", Some(fault.source)))?;
        let sequence = sequence.saturating_add(1);
        Self::write_first(location, Contents { deployment, sequence, root, body, keys })
    }
}

struct Parsed<'a> {
    summary: ExportSummary,
    hint: &'a [u8],
    /// What the sealed part is bound to.
    before: &'a [u8],
    sealed: &'a [u8],
}

impl<'a> Parsed<'a> {
    fn parse(export: &'a [u8]) -> Result<Self, Error> {
        let mut reader = Reader::new(export);
        if reader.array() != Some(*MAGIC) {
            return Err(damaged("it does not start as an export does", None));
        }
        match reader.u16() {
            Some(found) if found > VERSION => {
                let path = PathBuf::from("export");
                return Err(Error::Newer { what: "export", path, found, known: VERSION });
            }
            Some(VERSION) => {}
            _ => return Err(damaged("its version", None)),
        }
        Self::read(export, reader).ok_or_else(|| damaged("it is cut off", None))
    }

    fn read(export: &'a [u8], mut reader: Reader<'a>) -> Option<Self> {
        let summary = ExportSummary {
            deployment: DeploymentId::from_bytes(reader.array()?),
            sequence: reader.u64()?,
            shreds: reader.u64()?,
            key: KeyId::from_bytes(reader.array()?),
        };
        let hint = reader.counted()?;
        let before = export.len().checked_sub(reader.remaining())?;
        let sealed = reader.counted()?;
        reader.end()?;
        Some(Self { summary, hint, before: export.get(..before)?, sealed })
    }
}

fn damaged(part: &'static str, source: Option<UnwrapError>) -> Error {
    Error::ExportDamaged { part, source }
}
