//! See `../README.md`.

#![expect(clippy::unwrap_used, reason = "the helpers of tests fail as tests do")]

mod bare;
mod recorder;
