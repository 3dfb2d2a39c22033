//! Where the socket is. Its address has room for about a hundred bytes, and a data directory may lie deeper: so it is named
//! by the open directory.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tokio::net::UnixStream;

/// The socket's name in its directory.
pub(super) const NAME: &str = "control.sock";

/// The socket of a directory that stays open as long as this lives.
pub(super) struct Place {
    directory: File,
}

impl Place {
    pub(super) fn of(directory: &Path) -> io::Result<Self> {
        Ok(Self { directory: File::open(directory)? })
    }

    pub(super) fn path(&self) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}/{NAME}", self.directory.as_raw_fd()))
    }

    /// Only its owner may connect. Until then the directory itself keeps others out.
    pub(super) fn restrict(&self) -> io::Result<()> {
        fs::set_permissions(self.path(), Permissions::from_mode(0o600))
    }

    pub(super) fn remove(&self) {
        // Mostly there is none.
        let _ = fs::remove_file(self.path());
    }
}

/// The other side is this user, or one of the two is who may do anything on this machine.
pub(super) fn is_ours(stream: &UnixStream) -> bool {
    let own = rustix::process::getuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0 || own == 0)
}
