//! What sealing costs: records of the vault beside plain AES-256-GCM of the same library, each on one thread.

use std::sync::Arc;

use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use anyhow::{Result, anyhow, ensure};
use vault::{Bucket, Class, DeploymentId, KeyFile, Keyring, Location, OsFiles, Place};

use crate::clock::{Took, Watch};
use crate::measured::Pair;
use crate::report::{Goal, Report};
use crate::sealed::ORGANIZATION;

const REPETITIONS: usize = 9;
/// Of one repetition.
const BYTES: usize = 128 << 20;
const SIZES: [(usize, &str); 2] = [(64 << 10, "64 KiB"), (1 << 10, "1 KiB")];
const PLACE: Place<'static> = Place {
    organization: ORGANIZATION,
    table: "bench_rows",
    key: b"000000000001",
    schema_version: 1,
    class: Class::Rows,
    bucket: Bucket::Standing,
};

pub(crate) fn run(report: &mut Report) -> Result<()> {
    let folder = tempfile::tempdir()?;
    for name in ["data", "keys"] {
        std::fs::create_dir(folder.path().join(name))?;
    }
    let deployment = DeploymentId::random()?;
    let file = KeyFile::create(Arc::new(OsFiles), folder.path().join("keys/key"), &deployment)?;
    let (slot, path) = (Some(file.shred_slot()), folder.path().join("data/keyring"));
    let location = Location { files: Arc::new(OsFiles), path, kek: Arc::new(file), slot };
    let mut keyring = Keyring::create(location, deployment)?;
    keyring.create_organization(ORGANIZATION)?;
    let plain = Plain { cipher: Aes256Gcm::new(&[5; 32].into()), messages: 0.into() };
    for (bytes, size) in SIZES {
        let gigabytes = BYTES as f64 / 1e9;
        let message = vec![7; bytes];
        let pair = Pair::of(REPETITIONS, || seal(&keyring, &message), || plain.seal(&message))?;
        report.add(pair.row(format!("sealing records of {size}"), gigabytes, "GB/s", Goal::None));
        let pair = Pair::of(REPETITIONS, || open(&keyring, &message), || plain.open(&message))?;
        report.add(pair.row(format!("opening records of {size}"), gigabytes, "GB/s", Goal::None));
    }
    report.note(
        "Sealing and opening: one thread, beside plain AES-256-GCM with a counter as its nonce.".to_owned(),
    );
    Ok(())
}

fn seal(keyring: &Keyring, message: &[u8]) -> Result<Took> {
    let watch = Watch::start()?;
    for _ in 0..BYTES / message.len() {
        std::hint::black_box(keyring.seal(&PLACE, message, 0)?);
    }
    watch.stop()
}

fn open(keyring: &Keyring, message: &[u8]) -> Result<Took> {
    let record = keyring.seal(&PLACE, message, 0)?;
    ensure!(
        keyring.open_record(&PLACE, &record, 0)?.expose() == message,
        "the record opens to something else"
    );
    let watch = Watch::start()?;
    for _ in 0..BYTES / message.len() {
        std::hint::black_box(keyring.open_record(&PLACE, &record, 0)?);
    }
    watch.stop()
}

/// The cipher alone, over a copy of the message.
struct Plain {
    cipher: Aes256Gcm,
    messages: std::cell::Cell<u64>,
}

impl Plain {
    fn seal(&self, message: &[u8]) -> Result<Took> {
        let watch = Watch::start()?;
        for _ in 0..BYTES / message.len() {
            std::hint::black_box(self.sealed(message)?);
        }
        watch.stop()
    }

    fn sealed(&self, message: &[u8]) -> Result<(Nonce<aes_gcm::aead::consts::U12>, Vec<u8>, Tag)> {
        self.messages.set(self.messages.get() + 1);
        let mut nonce = [0; 12];
        for (to, from) in nonce.iter_mut().zip(self.messages.get().to_le_bytes()) {
            *to = from;
        }
        let (nonce, mut copy) = (nonce.into(), message.to_vec());
        let tag = self.cipher.encrypt_inout_detached(&nonce, &[], copy.as_mut_slice().into());
        Ok((nonce, copy, tag.map_err(|error| anyhow!("{error}"))?))
    }

    fn open(&self, message: &[u8]) -> Result<Took> {
        let (nonce, sealed, tag) = self.sealed(message)?;
        let watch = Watch::start()?;
        for _ in 0..BYTES / message.len() {
            let mut copy = sealed.clone();
            let opened = self.cipher.decrypt_inout_detached(&nonce, &[], copy.as_mut_slice().into(), &tag);
            opened.map_err(|error| anyhow!("{error}"))?;
            std::hint::black_box(copy);
        }
        watch.stop()
    }
}
