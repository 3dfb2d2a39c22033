//! What the connectors of one run exchanged with the world, as files that a person can read: written while it passes, found
//! again by what is asked, and compared where it is not found.
//!
//! Pure: knows no network, no engine and no run. What stands in a request is for whoever records to say: before credentials
//! are placed, after secrets are blanked.

mod body;
mod cassette;
mod error;
mod files;
mod format;
mod frames;
mod lines;
mod nearest;
mod open;
mod play;
mod record;
mod seen;
mod tape;
mod timeline;

pub use body::Playing;
pub use cassette::{Cassette, Reel, Tape};
pub use error::Error;
pub use format::{Connection, Exchange, Failure, Head, Headers, Limited, Response, SlowDown, Told, Value};
pub use open::Open;
pub use play::{Played, Player, Recorded};
pub use record::{Recorder, Recording};
pub use seen::{Asked, Seen};
pub use timeline::Ready;

/// The digest of a document, such as a configuration.
pub fn digest(document: &serde_json::Value) -> String {
    use sha2::{Digest as _, Sha256};
    files::hex(&Sha256::digest(document.to_string()))
}

/// The version of the format that this crate writes, and the newest that it reads.
pub const VERSION: u32 = 1;
