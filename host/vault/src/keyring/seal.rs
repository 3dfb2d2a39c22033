//! Seals and opens records with the keys of the keyring.

use std::sync::Arc;

use hkdf::Hkdf;
use sha2::Sha256;

use super::Keyring;
use super::keys::Generation;
use crate::bucket::Bucket;
use crate::codec::put_counted;
use crate::counter::{MESSAGES_MAX, Stop};
use crate::record::{DataKey, Place, RecordHeader, rejected};
use crate::seal_error::SealError;
use crate::secret::Plaintext;

impl Keyring {
    /// Seals a record for its place, under the current generation of the organization's key.
    ///
    /// # Errors
    /// When the organization or the bucket has no key, the bucket has ended, or a limit is reached.
    pub fn seal(&self, place: &Place<'_>, plaintext: &[u8], now_ms: u64) -> Result<Vec<u8>, SealError> {
        let generation = self.generations(place.organization)?.last();
        let generation = generation.ok_or_else(|| no_organization(place.organization))?;
        let key = self.data_key(generation, place, now_ms)?;
        generation.counter.take().map_err(|stop| stopped(stop, place.organization))?;
        key.seal(&self.header.deployment, place, plaintext)
    }

    /// Opens a record that was sealed for this place.
    ///
    /// # Errors
    /// When it was changed or belongs elsewhere, when its keys are destroyed or its bucket has ended, and when its format
    /// is not known.
    pub fn open_record(&self, place: &Place<'_>, record: &[u8], now_ms: u64) -> Result<Plaintext, SealError> {
        let header = RecordHeader::parse(record)?;
        if (header.class, header.bucket) != (place.class, place.bucket) {
            return Err(rejected(place));
        }
        let generation = self.generation(place.organization, header.generation)?;
        self.data_key(generation, place, now_ms)?.open(&self.header.deployment, place, record)
    }

    /// Whether the record is sealed under a generation of the organization's key that is no longer the current one.
    /// To be asked when a record is read (lazily) and by a job that walks over all, before
    /// [`Keyring::retire_generations`].
    ///
    /// # Errors
    /// When it is no record, or the organization has no key.
    pub fn needs_reseal(&self, organization: &str, record: &[u8]) -> Result<bool, SealError> {
        let header = RecordHeader::parse(record)?;
        let current = self.generations(organization)?.last();
        Ok(current.is_none_or(|generation| generation.number != header.generation))
    }

    /// Whether the keys that the record names are still there. Where they are not, it was erased.
    ///
    /// # Errors
    /// When it is no record.
    pub fn has_keys(&self, organization: &str, record: &[u8]) -> Result<bool, SealError> {
        let header = RecordHeader::parse(record)?;
        let has_generation = self.generation(organization, header.generation).is_ok();
        Ok(has_generation && self.keys.buckets.contains_key(&header.bucket))
    }

    /// A keyed hash, to find equal values without keeping them: the same for the same organization, generation, label
    /// and message, and of no use to whoever does not have the organization's key. It ends with its generation.
    ///
    /// # Errors
    /// When the organization or the generation has no key.
    pub fn keyed_hash(
        &self,
        organization: &str,
        generation: u32,
        label: &str,
        message: &[u8],
    ) -> Result<[u8; 32], SealError> {
        let key = &self.generation(organization, generation)?.key;
        let mut info = b"cofferdam keyed hash 1".to_vec();
        put_counted(&mut info, label.as_bytes());
        put_counted(&mut info, message);
        let mut hash = [0; 32];
        // Expanding fails only above 255 blocks; this is one.
        match Hkdf::<Sha256>::new(None, key.expose()).expand(&info, &mut hash) {
            Ok(()) => Ok(hash),
            Err(_) => unreachable!("32 bytes are one block"),
        }
    }

    fn data_key(
        &self,
        generation: &Generation,
        place: &Place<'_>,
        now_ms: u64,
    ) -> Result<Arc<DataKey>, SealError> {
        let bucket: Bucket = place.bucket;
        if bucket.has_ended(now_ms) {
            return Err(SealError::BucketEnded { bucket });
        }
        let key = self.keys.buckets.get(&bucket).ok_or(SealError::NoBucket { bucket })?;
        Ok(generation.data_key(place.class, bucket, key))
    }

    fn generations(&self, organization: &str) -> Result<&[Generation], SealError> {
        let generations = self.keys.organizations.get(organization);
        generations.map(Vec::as_slice).ok_or_else(|| no_organization(organization))
    }

    fn generation(&self, organization: &str, number: u32) -> Result<&Generation, SealError> {
        let generations = self.generations(organization)?;
        let found = generations.iter().find(|generation| generation.number == number);
        found.ok_or_else(|| SealError::NoGeneration {
            organization: organization.to_owned(),
            generation: number,
        })
    }
}

fn no_organization(organization: &str) -> SealError {
    SealError::NoOrganization { organization: organization.to_owned() }
}

fn stopped(stop: Stop, organization: &str) -> SealError {
    let organization = organization.to_owned();
    match stop {
        Stop::Unsaved => SealError::CounterUnsaved { organization },
        Stop::Exhausted => SealError::Exhausted { organization, limit: MESSAGES_MAX },
    }
}
