//! Files that are read: finding them, their bytes as a stream, what tells one version of a file from another.

mod fault;
mod find;
mod fingerprint;
mod names;
mod stream;
mod window;

pub(crate) use fault::explain;
pub(crate) use find::{FoundFile, find};
pub(crate) use fingerprint::Fingerprint;
pub(crate) use names::names_in;
pub(crate) use stream::{ByteStream, Snapshot};
pub(crate) use window::{CHUNK_BYTES, Unclean, Window};

#[cfg(test)]
mod tests;
