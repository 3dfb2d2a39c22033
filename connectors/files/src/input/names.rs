//! What lies in a folder, while others make, rename and remove files in it.

use std::{ffi::OsString, fs, io, path::Path};

/// Looking again this often is more than any folder needs: each time, an entry would have to vanish during the look.
const LOOKS_MAX: u32 = 100;

/// The names in a folder.
///
/// To give an entry, WASI's C library looks at the file as well, and if that one was renamed or removed in the meantime,
/// the listing ends there. So it is begun again.
///
/// # Errors
///
/// The folder cannot be read, or is never at rest.
pub(crate) fn names_in(folder: &Path) -> io::Result<Vec<OsString>> {
    let mut looks = 0;
    loop {
        looks += 1;
        // That the folder itself is not there is told here, and no reason to look again.
        let entries = fs::read_dir(folder)?;
        let names: io::Result<Vec<OsString>> = entries.map(|entry| Ok(entry?.file_name())).collect();
        match names {
            Err(fault) if fault.kind() == io::ErrorKind::NotFound && looks < LOOKS_MAX => {}
            names => return names,
        }
    }
}
