//! No image of this process is written when it crashes: the secrets that it places lie in its memory.

use rustix::process::{Resource, Rlimit, setrlimit};

/// For this process and those that it starts; nobody but root could take it back.
pub(crate) fn never() {
    // A system that does not know the limit writes no images.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}
