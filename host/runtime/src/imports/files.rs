//! `wasi:filesystem` where the engine's answer would let too much pass. Opening a pipe waits for whoever opens its other end,
//! on a thread that nothing gets back, and opening a device may do anything at all: both are refused before they are opened.
//! And no symbolic link is made that leads out of its directory: the engine would not follow it, but others would. A directory is
//! listed at once, into the host's memory: one with very many entries is not.

use crate::meter::Meter;
use crate::state::State;
use rustix::fs::Dir;
use std::fs::File;
use std::io;
use std::path::{Component, Path};
use wasmtime::component::{Linker, Resource};
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtxView, WasiFilesystemView as _};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, DescriptorType, DirectoryEntryStream, ErrorCode, Host, HostDescriptor, NewTimestamp,
    OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{FsError, FsResult};
use wasmtime_wasi::runtime::spawn_blocking;

/// Names of some 100 bytes: 10 MB for one listing.
const ENTRIES_MAX: usize = 100_000;

type View<'a> = WasiFilesystemCtxView<'a>;
type Borrowed = Resource<Descriptor>;

pub(crate) fn refuse_what_is_no_file(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut types = linker.instance("wasi:filesystem/types@0.2.12")?;
    types.func_wrap_async(
        "[method]descriptor.open-at",
        |mut store,
         (directory, follow, path, open, flags): (
            Borrowed,
            PathFlags,
            String,
            OpenFlags,
            DescriptorFlags,
        )| {
            Box::new(async move {
                let mut view = store.data_mut().filesystem();
                let opened = open_at(&mut view, directory, follow, path, (open, flags)).await;
                Ok((answer(&mut view, opened)?,))
            })
        },
    )?;
    types.func_wrap_async(
        "[method]descriptor.set-times-at",
        |mut store,
         (directory, follow, path, accessed, modified): (
            Borrowed,
            PathFlags,
            String,
            NewTimestamp,
            NewTimestamp,
        )| {
            Box::new(async move {
                let mut view = store.data_mut().filesystem();
                let set = set_times_at(&mut view, directory, follow, path, (accessed, modified)).await;
                Ok((answer(&mut view, set)?,))
            })
        },
    )?;
    types.func_wrap_async("[method]descriptor.read-directory", |mut store, (directory,): (Borrowed,)| {
        Box::new(async move {
            let meter = store.data().meter.clone();
            let mut view = store.data_mut().filesystem();
            let listed = read_directory(&mut view, directory, &meter).await;
            Ok((answer(&mut view, listed)?,))
        })
    })?;
    types.func_wrap_async(
        "[method]descriptor.symlink-at",
        |mut store, (directory, target, path): (Borrowed, String, String)| {
            Box::new(async move {
                let mut view = store.data_mut().filesystem();
                let made = symlink_at(&mut view, directory, target, path).await;
                Ok((answer(&mut view, made)?,))
            })
        },
    )
}

/// What the guest is told; a fault that ends the call stays one.
fn answer<T>(view: &mut View<'_>, result: FsResult<T>) -> wasmtime::Result<Result<T, ErrorCode>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error) => Ok(Err(view.convert_error_code(error)?)),
    }
}

async fn open_at(
    view: &mut View<'_>,
    directory: Borrowed,
    follow: PathFlags,
    path: String,
    (open, flags): (OpenFlags, DescriptorFlags),
) -> FsResult<Borrowed> {
    refuse_special(view, &directory, follow, &path).await?;
    view.open_at(directory, follow, path, open, flags).await
}

/// The engine opens a file to set its times.
async fn set_times_at(
    view: &mut View<'_>,
    directory: Borrowed,
    follow: PathFlags,
    path: String,
    (accessed, modified): (NewTimestamp, NewTimestamp),
) -> FsResult<()> {
    refuse_special(view, &directory, follow, &path).await?;
    view.set_times_at(directory, follow, path, accessed, modified).await
}

/// Nothing but files, directories and symbolic links. What is not there, or may not be looked at, the engine refuses in its own
/// words. Who puts a pipe here between the look and the opening has rights of the machine's owner: no guest can make one.
async fn refuse_special(
    view: &mut View<'_>,
    directory: &Borrowed,
    follow: PathFlags,
    path: &str,
) -> FsResult<()> {
    let directory = Resource::new_borrow(directory.rep());
    let Ok(stat) = view.stat_at(directory, follow, path.to_owned()).await else { return Ok(()) };
    match stat.type_ {
        DescriptorType::RegularFile | DescriptorType::Directory | DescriptorType::SymbolicLink => Ok(()),
        _ => Err(ErrorCode::Access.into()),
    }
}

/// The engine reads all entries before it gives the first.
async fn read_directory(
    view: &mut View<'_>,
    directory: Borrowed,
    meter: &Meter,
) -> FsResult<Resource<DirectoryEntryStream>> {
    if let Descriptor::Dir(dir) = view.table.get(&directory)? {
        let dir = dir.dir.clone();
        let counted = spawn_blocking(move || entries_up_to(&dir, ENTRIES_MAX + 1)).await?;
        if counted > ENTRIES_MAX {
            let what = "the entries of one directory that is listed".to_owned();
            return Err(FsError::trap(meter.hit(
                "directory_entries",
                format!("{ENTRIES_MAX} entries"),
                what,
            )));
        }
    }
    view.read_directory(directory).await
}

fn entries_up_to(directory: &File, most: usize) -> io::Result<usize> {
    let mut count = 0;
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        count += usize::from(name != b"." && name != b"..");
        if count == most {
            break;
        }
    }
    Ok(count)
}

async fn symlink_at(view: &mut View<'_>, directory: Borrowed, target: String, path: String) -> FsResult<()> {
    if !stays_below(&target) {
        return Err(ErrorCode::NotPermitted.into());
    }
    view.symlink_at(directory, target, path).await
}

/// Whether a link with this target stays below the directory that it is in, wherever it is moved.
fn stays_below(target: &str) -> bool {
    Path::new(target).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

#[cfg(test)]
mod tests {
    use super::stays_below;

    #[test]
    fn a_target_that_climbs_or_begins_at_the_root_does_not_stay() {
        for target in ["a", "a/b", "./a", "a//b", "a.."] {
            assert!(stays_below(target), "{target}");
        }
        for target in ["..", "../a", "a/..", "a/../b", "/", "/a", "./../a", "a/../../b"] {
            assert!(!stays_below(target), "{target}");
        }
    }
}
