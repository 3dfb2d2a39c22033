//! What the two halves of a compiler say to each other. After the order the component comes in parts, each a frame.

use runtime::Compiling;
use serde::{Deserialize, Serialize};

/// To the process: its first frame.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    pub(crate) version: u32,
    pub(crate) memory_bytes: u64,
    pub(crate) compiling: Compiling,
    /// How long the component is.
    pub(crate) bytes: u64,
}

/// From the process.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum FromCompiler<'a> {
    /// Of the code.
    Part(#[serde(borrow, with = "serde_bytes")] &'a [u8]),
    /// All of the code has come.
    Done,
    /// There is no code, by this code of an error.
    Refused { code: String, message: String },
}
