//! How many descriptors the process may have. A thousand is what systems give to begin with, for programs that count to a
//! thousand by habit; one connector's files would be enough to leave the others without sockets.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises what is given to begin with to what is allowed. A refusal leaves things as they are.
pub(crate) fn use_all_that_are_allowed() {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!(error = %error, "the limit on open files stays as it is");
        }
    }
}
