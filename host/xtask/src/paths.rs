//! Where things are: the repository, its target directory, and the user's cache.

use std::{env, path::PathBuf};

use anyhow::{Context, Result};

/// The root of the repository: two folders above this crate.
pub(crate) fn root() -> PathBuf {
    let mut path = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    path.pop();
    path.pop();
    path
}

/// Tests look for components and upstreams under this directory, so `CARGO_TARGET_DIR` does not move it.
pub(crate) fn target() -> PathBuf {
    root().join("target")
}

/// `$XDG_CACHE_HOME/cofferdam` or `~/.cache/cofferdam`: it survives `cargo clean` and is shared by all checkouts.
pub(crate) fn cache() -> Result<PathBuf> {
    let base = match env::var_os("XDG_CACHE_HOME").filter(|value| !value.is_empty()) {
        Some(base) => PathBuf::from(base),
        None => env::home_dir().context("neither XDG_CACHE_HOME nor HOME is set")?.join(".cache"),
    };
    Ok(base.join("cofferdam"))
}
