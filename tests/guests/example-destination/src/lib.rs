//! One component with two roles: a destination that appends JSON lines to a file for each stream, exactly once and with
//! fences, and a source that reads such files back.

mod ledger;
mod reader;
mod writer;

use cofferdam_sdk::export;
use serde::Deserialize;

#[derive(Deserialize)]
struct Config {
    #[serde(default = "default_directory")]
    directory: String,
}

fn default_directory() -> String {
    "/data".to_owned()
}

struct Directory;

export!(source = Directory, destination = Directory, manifest = "connector.toml");
