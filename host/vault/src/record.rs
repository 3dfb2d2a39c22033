//! The sealed record: its bytes, and the place that it is bound to. Knows nothing of which keys exist.

use hkdf::Hkdf;
use sha2::Sha256;

use crate::bucket::{BUCKET_BYTES, Bucket, Class};
use crate::codec::{Reader, put_counted};
use crate::deployment::DeploymentId;
use crate::seal_error::SealError;
use crate::secret::{Key, Plaintext, random_bytes};
use crate::xaes::{Cipher, NONCE_BYTES, TAG_BYTES};

/// The one format that is written.
const VERSION: u8 = 1;
/// XAES-256-GCM.
const ALGORITHM: u8 = 1;
/// Version, algorithm, key id (class, bucket, generation).
const HEADER_BYTES: usize = 2 + 1 + BUCKET_BYTES + 4;
/// What sealing adds to a plaintext.
pub const OVERHEAD_BYTES: usize = HEADER_BYTES + NONCE_BYTES + TAG_BYTES;
/// A batch is at most 8 MiB or one row of 16 MiB; the rest is room for what surrounds it. The plaintext is held in
/// memory, so the limit is one on memory, far below that of the cipher (64 GiB).
pub const PLAINTEXT_BYTES_MAX: usize = 64 << 20;

/// Where a record belongs. It opens only there.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The organization's id.
    pub organization: &'a str,
    /// The table of storage.
    pub table: &'a str,
    /// The key in that table.
    pub key: &'a [u8],
    /// The version of what is inside.
    pub schema_version: u32,
    /// What it is.
    pub class: Class,
    /// When it ends.
    pub bucket: Bucket,
}

impl Place<'_> {
    /// Each part with its length before it, so that no two places have the same bytes.
    fn associated(&self, header: &[u8; HEADER_BYTES], deployment: &DeploymentId) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(128);
        put_counted(&mut bytes, header);
        put_counted(&mut bytes, deployment.as_bytes());
        put_counted(&mut bytes, self.organization.as_bytes());
        put_counted(&mut bytes, self.table.as_bytes());
        put_counted(&mut bytes, self.key);
        put_counted(&mut bytes, &self.schema_version.to_be_bytes());
        put_counted(&mut bytes, &self.bucket.encode());
        bytes
    }
}

/// What a record says of itself, without being opened. Nobody vouches for it before the record has opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordHeader {
    /// What it is.
    pub class: Class,
    /// When it ends.
    pub bucket: Bucket,
    /// Which generation of the organization's key sealed it.
    pub generation: u32,
}

impl RecordHeader {
    /// Reads the start of a record.
    ///
    /// # Errors
    /// When version or algorithm are unknown or the bytes are too short.
    pub fn parse(record: &[u8]) -> Result<Self, SealError> {
        let malformed = || SealError::Malformed { bytes: record.len() };
        let mut reader = Reader::new(record);
        let version = reader.u8().ok_or_else(malformed)?;
        if version != VERSION {
            return Err(SealError::Version { found: version, known: VERSION });
        }
        let algorithm = reader.u8().ok_or_else(malformed)?;
        if algorithm != ALGORITHM {
            return Err(SealError::Algorithm { found: algorithm });
        }
        if record.len() < OVERHEAD_BYTES {
            return Err(malformed());
        }
        Self::read_key_id(&mut reader).ok_or_else(malformed)
    }

    fn read_key_id(reader: &mut Reader<'_>) -> Option<Self> {
        let class = Class::decode(reader.u8()?)?;
        Some(Self { class, bucket: Bucket::read(reader)?, generation: reader.u32()? })
    }

    fn encode(self) -> [u8; HEADER_BYTES] {
        let [span, b0, b1, b2, b3] = self.bucket.encode();
        let [g0, g1, g2, g3] = self.generation.to_be_bytes();
        [VERSION, ALGORITHM, self.class.encode(), span, b0, b1, b2, b3, g0, g1, g2, g3]
    }
}

/// The key of one organization, generation, bucket and class, ready for use.
pub(crate) struct DataKey {
    cipher: Cipher,
    generation: u32,
}

impl DataKey {
    /// Both keys are secret and both are needed: whoever has destroyed one of them has destroyed the data key.
    pub(crate) fn derive(organization: &Key, generation: u32, bucket: &Key, class: Class) -> Self {
        let hkdf = Hkdf::<Sha256>::new(Some(bucket.expose()), organization.expose());
        let info = [b"cofferdam data key 1 ".as_slice(), &[class.encode()]].concat();
        // Expanding fails only above 255 blocks; this is one.
        let key = Key::filled(|bytes| hkdf.expand(&info, bytes));
        let key = key.unwrap_or_else(|_| unreachable!("32 bytes are one block"));
        Self::new(&key, generation)
    }

    pub(crate) fn new(key: &Key, generation: u32) -> Self {
        Self { cipher: Cipher::new(key), generation }
    }

    pub(crate) fn seal(
        &self,
        deployment: &DeploymentId,
        place: &Place<'_>,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let too_large = || SealError::TooLarge { bytes: plaintext.len(), limit: PLAINTEXT_BYTES_MAX };
        if plaintext.len() > PLAINTEXT_BYTES_MAX {
            return Err(too_large());
        }
        let header =
            RecordHeader { class: place.class, bucket: place.bucket, generation: self.generation }.encode();
        let nonce = random_bytes::<NONCE_BYTES>()?;
        let mut record = Vec::with_capacity(OVERHEAD_BYTES + plaintext.len());
        record.extend_from_slice(&header);
        record.extend_from_slice(&nonce);
        record.extend_from_slice(plaintext);
        let associated = place.associated(&header, deployment);
        let (_, message) = record.split_at_mut_checked(HEADER_BYTES + NONCE_BYTES).ok_or_else(too_large)?;
        let tag = self.cipher.seal(&nonce, &associated, message).map_err(|_| too_large())?;
        record.extend_from_slice(&tag);
        Ok(record)
    }

    pub(crate) fn open(
        &self,
        deployment: &DeploymentId,
        place: &Place<'_>,
        record: &[u8],
    ) -> Result<Plaintext, SealError> {
        let (header, nonce, ciphertext, tag) =
            split(record).ok_or(SealError::Malformed { bytes: record.len() })?;
        let associated = place.associated(header, deployment);
        let mut message = Plaintext::new(ciphertext.to_vec());
        match self.cipher.open(nonce, &associated, message.expose_mut(), tag) {
            Ok(()) => Ok(message),
            Err(_) => Err(rejected(place)),
        }
    }
}

type Parts<'a> = (&'a [u8; HEADER_BYTES], &'a [u8; NONCE_BYTES], &'a [u8], &'a [u8; TAG_BYTES]);

fn split(record: &[u8]) -> Option<Parts<'_>> {
    let (header, rest) = record.split_first_chunk()?;
    let (nonce, rest) = rest.split_first_chunk()?;
    let (ciphertext, tag) = rest.split_last_chunk()?;
    Some((header, nonce, ciphertext, tag))
}

pub(crate) fn rejected(place: &Place<'_>) -> SealError {
    SealError::Rejected { organization: place.organization.to_owned(), table: place.table.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{DataKey, DeploymentId, Place, SealError};
    use crate::bucket::{Bucket, Class};
    use crate::secret::Key;

    const PLACE: Place<'static> = Place {
        organization: "acme",
        table: "rows",
        key: b"1",
        schema_version: 1,
        class: Class::Rows,
        bucket: Bucket::Standing,
    };
    const DEPLOYMENT: DeploymentId = DeploymentId::from_bytes([1; 16]);

    fn key() -> DataKey {
        DataKey::new(&Key::from_slice(&[5; 32]).unwrap(), 1)
    }

    #[test]
    fn also_under_the_same_key_a_record_of_another_deployment_does_not_open() {
        let record = key().seal(&DEPLOYMENT, &PLACE, b"a row").unwrap();
        assert!(key().open(&DEPLOYMENT, &PLACE, &record).is_ok());
        let other = key().open(&DeploymentId::from_bytes([2; 16]), &PLACE, &record);
        assert!(matches!(other, Err(SealError::Rejected { .. })));
    }

    #[test]
    fn also_under_the_same_key_no_byte_of_the_header_can_be_edited() {
        let record = key().seal(&DEPLOYMENT, &PLACE, b"a row").unwrap();
        for index in 0..12 {
            let mut edited = record.clone();
            edited[index] ^= 1;
            assert!(key().open(&DEPLOYMENT, &PLACE, &edited).is_err(), "byte {index}");
        }
    }

    #[test]
    fn a_data_key_is_of_its_organization_key_bucket_key_and_class() {
        let key = |byte| Key::from_slice(&[byte; 32]).unwrap();
        let one = DataKey::derive(&key(1), 1, &key(2), Class::Rows);
        let record = one.seal(&DEPLOYMENT, &PLACE, b"a row").unwrap();
        let opens = |other: &DataKey| other.open(&DEPLOYMENT, &PLACE, &record).is_ok();
        assert!(opens(&DataKey::derive(&key(1), 1, &key(2), Class::Rows)));
        assert!(!opens(&DataKey::derive(&key(3), 1, &key(2), Class::Rows)));
        assert!(!opens(&DataKey::derive(&key(1), 1, &key(3), Class::Rows)));
        assert!(!opens(&DataKey::derive(&key(1), 1, &key(2), Class::Cache)));
        assert!(!opens(&DataKey::derive(&key(2), 1, &key(1), Class::Rows)));
    }
}
