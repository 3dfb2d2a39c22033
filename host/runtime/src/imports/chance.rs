//! Randomness of an instance that is recorded or replayed: all of it comes out of one seed, which the recording has.

use cassette::Tape;
use chacha20::ChaCha20Rng;
use chacha20::rand_core::{Rng as _, SeedableRng as _};
use sha2::{Digest, Sha256};
use wasmtime_wasi::WasiCtxBuilder;

/// A seed for a recording.
pub(crate) fn seed() -> Result<[u8; 32], getrandom::Error> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    Ok(seed)
}

/// Each kind of randomness has a stream of its own, so that more of one changes nothing of another.
pub(crate) fn of_tape(builder: &mut WasiCtxBuilder, tape: &Tape) {
    let stream = |kind: &[u8]| -> [u8; 32] {
        Sha256::new().chain_update(kind).chain_update(tape.seed()).finalize().into()
    };
    let mut seed = [0; 16];
    ChaCha20Rng::from_seed(stream(b"insecure-seed")).fill_bytes(&mut seed);
    builder
        .secure_random(ChaCha20Rng::from_seed(stream(b"random")))
        .insecure_random(ChaCha20Rng::from_seed(stream(b"insecure")))
        .insecure_random_seed(u128::from_le_bytes(seed));
}
