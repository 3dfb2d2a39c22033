//! Changes files in every way that the recorder knows.

use std::fs::{self, File, OpenOptions};
use std::io::{IoSlice, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::thread;

use anyhow::{Result, ensure};

use crate::marks::Marks;

pub(crate) fn write(directory: &Path) -> Result<()> {
    let marks = Marks::open()?;
    marks.say("start")?;
    contents(directory)?;
    names(directory)?;
    threads(directory)?;
    std::env::set_current_dir(directory)?;
    fs::write("relative", "named from where we are")?;
    fs::rename("relative", "./renamed")?;
    marks.say("end")
}

fn contents(directory: &Path) -> Result<()> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true);
    let mut file = options.mode(0o640).open(directory.join("contents"))?;
    file.write_all(&[b'a'; 10_000])?;
    file.write_all_at(b"in between", 5_000)?;
    file.seek(SeekFrom::Start(100))?;
    let parts = [IoSlice::new(b"one part"), IoSlice::new(b" and another")];
    let written = file.write_vectored(&parts)?;
    ensure!(written == 20, "a small write to a file is whole");
    file.try_clone()?.write_all(b" and through a copy of the descriptor")?;
    file.set_len(20_000)?;
    file.write_all_at(b"the end", 19_990)?;
    file.sync_data()?;
    file.set_len(19_995)?;
    file.sync_all()?;
    let mut log = OpenOptions::new().append(true).create(true).open(directory.join("appended"))?;
    log.write_all(b"first")?;
    // Linux appends all the same.
    log.write_all_at(b"second", 1)?;
    File::create(directory.join("appended-2"))?.write_all(b"will be cut")?;
    File::create(directory.join("appended-2"))?.write_all(b"new")?;
    Ok(())
}

fn names(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory.join("a/b/c"))?;
    fs::write(directory.join("a/b/c/file"), "deep")?;
    fs::rename(directory.join("a/b"), directory.join("a/moved"))?;
    fs::hard_link(directory.join("a/moved/c/file"), directory.join("linked"))?;
    let open = File::options().append(true).open(directory.join("linked"))?;
    fs::remove_file(directory.join("linked"))?;
    (&open).write_all(b" and written when the name was gone")?;
    fs::create_dir(directory.join("empty"))?;
    fs::remove_dir(directory.join("empty"))?;
    fs::write(directory.join("gone"), "")?;
    fs::remove_file(directory.join("gone"))?;
    fs::rename(directory.join("appended-2"), directory.join("a/moved/elsewhere"))?;
    File::open(directory)?.sync_all()?;
    Ok(())
}

/// All write to the same place: who was last in the file must be last in the log.
fn threads(directory: &Path) -> Result<()> {
    let file = File::create(directory.join("contended"))?;
    thread::scope(|scope| {
        let writers: Vec<_> = (0..4_u8)
            .map(|writer| {
                scope.spawn({
                    let file = &file;
                    move || (0..200).try_for_each(|_| file.write_all_at(&[b'0' + writer; 600], 0))
                })
            })
            .collect();
        writers.into_iter().try_for_each(|writer| Ok(writer.join().unwrap_or(Ok(()))?))
    })
}
