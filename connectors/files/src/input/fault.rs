//! What went wrong with a file, in words that say which file and what to do.

use std::io::{Error as IoError, ErrorKind};

use cofferdam_sdk::Error;

/// An error of the file system, with the path and what was being done.
pub(crate) fn explain(doing: &str, path: &str, fault: IoError) -> Error {
    let full = matches!(fault.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
    let text = fault.to_string();
    let outside = fault.kind() == ErrorKind::PermissionDenied
        || text.contains("pre-opened file descriptor")
        || text.contains("apabilities insufficient");
    if full {
        return Error::transient(format!("{doing} `{path}`: the disk is full"));
    }
    if outside || (fault.kind() == ErrorKind::NotFound && !top_exists(path)) {
        let directory = path.split('/').nth(1).unwrap_or_default();
        return Error::denied(format!(
            "{doing} `{path}`: it lies in no directory that was granted, or leads out of one; the directory to \
             grant is `{directory}` ({text})"
        ));
    }
    Error::from(fault).context(format!("{doing} `{path}`"))
}

/// Whether the first part of the path, which is a granted directory, is there at all.
fn top_exists(path: &str) -> bool {
    let top = path.split('/').nth(1).unwrap_or_default();
    std::fs::metadata(format!("/{top}")).is_ok()
}
