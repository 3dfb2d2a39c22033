//! What went wrong with a file, in words that say which file and what to do.

use std::io::{Error as IoError, ErrorKind};

use cofferdam_sdk::Error;

/// An error of the file system, with the path and what was being done.
pub(crate) fn explain(doing: &str, path: &str, fault: IoError) -> Error {
    let directory = path.split('/').nth(1).unwrap_or_default();
    let text = fault.to_string();
    let refused = matches!(fault.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
        || text.contains("pre-opened file descriptor")
        || text.contains("apabilities insufficient");
    match fault.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Error::transient(format!("{doing} `{path}`: the disk is full"))
        }
        _ if (refused || fault.kind() == ErrorKind::NotFound) && !is_granted(directory) => {
            Error::denied(format!("{doing} `{path}`: no directory `{directory}` was granted ({text})"))
        }
        _ if refused && CHANGES.contains(&doing) => Error::denied(format!(
            "{doing} `{path}`: the directory `{directory}` is not granted for writing, or the path leads out of it \
             ({text})"
        )),
        _ if refused => Error::denied(format!(
            "{doing} `{path}`: the path leads out of the granted directory `{directory}`, or may not be read ({text})"
        )),
        _ => Error::from(fault).context(format!("{doing} `{path}`")),
    }
}

/// What is said to be done when something is changed.
const CHANGES: [&str; 4] = ["making", "writing", "publishing", "removing"];

/// Whether the first part of the path, which is a granted directory, is there at all.
fn is_granted(directory: &str) -> bool {
    std::fs::metadata(format!("/{directory}")).is_ok()
}
