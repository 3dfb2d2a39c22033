//! XAES-256-GCM (c2sp.org/XAES-256-GCM): AES-256-GCM with nonces of 192 bits, long enough to be drawn at random.
//!
//! The first half of the nonce and the key make a key for this message (CMAC in counter mode, two blocks of AES); the
//! second half is the nonce of AES-256-GCM under it.

use aes::Aes256;
use aes::cipher::{Array, BlockCipherEncrypt, KeyInit};
use aes_gcm::Aes256Gcm;
use aes_gcm::aead::AeadInOut;
use zeroize::{Zeroize, Zeroizing};

use crate::secret::Key;

/// Bytes of a nonce.
pub(crate) const NONCE_BYTES: usize = 24;
/// Bytes of a tag.
pub(crate) const TAG_BYTES: usize = 16;

/// The message does not belong to this key, nonce and associated data, or was changed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Rejected;

/// A key that is ready for use. The key schedule and the subkey are wiped when it is dropped.
pub(crate) struct Cipher {
    aes: Aes256,
    subkey: Zeroizing<[u8; 16]>,
}

impl Cipher {
    pub(crate) fn new(key: &Key) -> Self {
        let aes = Aes256::new(key.expose().into());
        let mut block = Array::from([0; 16]);
        aes.encrypt_block(&mut block);
        let mut subkey = Zeroizing::new([0; 16]);
        // CMAC's first subkey: doubled in GF(2^128), NIST SP 800-38B section 6.1.
        *subkey = u128::from_be_bytes(block.0).wrapping_shl(1).to_be_bytes();
        let reduction = if block.0.first().is_some_and(|byte| byte & 0x80 != 0) { 0x87 } else { 0 };
        if let Some(last) = subkey.last_mut() {
            *last ^= reduction;
        }
        block.0.zeroize();
        Self { aes, subkey }
    }

    /// Encrypts in place and gives the tag. `Err` only for a message of more than 64 GiB.
    pub(crate) fn seal(
        &self,
        nonce: &[u8; NONCE_BYTES],
        associated: &[u8],
        message: &mut [u8],
    ) -> Result<[u8; TAG_BYTES], Rejected> {
        let tag = leaving_no_stack(|| {
            let (cipher, nonce) = self.for_message(nonce);
            cipher.encrypt_inout_detached(&nonce.into(), associated, message.into())
        });
        tag.map(Into::into).map_err(|_| Rejected)
    }

    /// Decrypts in place, after the tag was found right; otherwise the message is left as it is.
    pub(crate) fn open(
        &self,
        nonce: &[u8; NONCE_BYTES],
        associated: &[u8],
        message: &mut [u8],
        tag: &[u8; TAG_BYTES],
    ) -> Result<(), Rejected> {
        let opened = leaving_no_stack(|| {
            let (cipher, nonce) = self.for_message(nonce);
            cipher.decrypt_inout_detached(&nonce.into(), associated, message.into(), &(*tag).into())
        });
        opened.map_err(|_| Rejected)
    }

    fn for_message(&self, nonce: &[u8; NONCE_BYTES]) -> (Aes256Gcm, [u8; 12]) {
        let mut halves = [[0; 12]; 2];
        for (to, from) in halves.as_flattened_mut().iter_mut().zip(nonce) {
            *to = *from;
        }
        let [context, rest] = halves;
        let key = self.message_key(&context);
        (Aes256Gcm::new((&*key).into()), rest)
    }

    fn message_key(&self, context: &[u8; 12]) -> Zeroizing<[u8; 32]> {
        let mut key = Zeroizing::new([0; 32]);
        for (half, counter) in key.chunks_exact_mut(16).zip(1_u8..) {
            let input = [0, counter, b'X', 0].into_iter().chain(*context);
            let mut block = Array::from([0; 16]);
            for (byte, (input, subkey)) in block.iter_mut().zip(input.zip(*self.subkey)) {
                *byte = input ^ subkey;
            }
            self.aes.encrypt_block(&mut block);
            half.copy_from_slice(&block);
            block.0.zeroize();
        }
        key
    }
}

/// More than the frames take of sealing or opening a message. Copies of its key are left there (10 KiB deep without optimisation), and
/// where the processor's registers are wide pieces of the message (AVX-512: 64 blocks of 16 bytes at once).
const STACK_BYTES: usize = 16 << 10;

/// Does this, and writes over what it leaves on the stack.
fn leaving_no_stack<T>(work: impl FnOnce() -> T) -> T {
    let done = below(work);
    below(|| {
        std::hint::black_box(&mut [0_u8; STACK_BYTES]);
    });
    done
}

/// Has all its frames below that of the caller.
#[inline(never)]
fn below<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[cfg(test)]
mod tests;
