//! One step: a call of `wasi:filesystem`, and what it answered in one line.

use std::collections::BTreeMap;

use serde::Deserialize;
use wasip2::{
    filesystem::types::{
        Descriptor, DescriptorFlags, DescriptorType, ErrorCode, NewTimestamp, OpenFlags, PathFlags,
    },
    io::streams::StreamError,
};

/// What stays open until the end.
pub(crate) type Held = Vec<Descriptor>;

/// As a configuration writes it.
#[derive(Deserialize)]
pub(crate) struct Act {
    /// Which call.
    r#do: String,
    path: String,
    /// The other path of a rename or a link, or the target of a symbolic link.
    #[serde(default)]
    to: String,
    /// Whether a symbolic link at the end of the path is followed.
    #[serde(default = "yes")]
    follow: bool,
    #[serde(default = "once")]
    count: u32,
}

fn yes() -> bool {
    true
}

fn once() -> u32 {
    1
}

type Answer = Result<String, ErrorCode>;

impl Act {
    /// Do it and say what came of it: the call, a part of the path, and what was answered.
    pub(crate) fn run(&self, root: &Descriptor, held: &mut Held) -> String {
        let answer = match self.r#do.as_str() {
            "read" => self.read(root),
            "list" => self.list(root),
            "type" => self.stat(root),
            "hold" => self.hold(root, held),
            "again" => self.again(root),
            "grow" => self.grow(root),
            "write" | "append" | "resize" | "touch" => self.change_opened(root),
            _ => self.change(root),
        };
        let path: String = self.path.chars().take(40).collect();
        format!("{} {path}: {}", self.r#do, answer.unwrap_or_else(|code| code.name().to_owned()))
    }

    fn follow(&self) -> PathFlags {
        if self.follow { PathFlags::SYMLINK_FOLLOW } else { PathFlags::empty() }
    }

    fn open(
        &self,
        root: &Descriptor,
        open: OpenFlags,
        flags: DescriptorFlags,
    ) -> Result<Descriptor, ErrorCode> {
        root.open_at(self.follow(), &self.path, open, flags)
    }

    fn open_to_read(&self, root: &Descriptor) -> Result<Descriptor, ErrorCode> {
        self.open(root, OpenFlags::empty(), DescriptorFlags::READ)
    }

    fn read(&self, root: &Descriptor) -> Answer {
        let (bytes, _) = self.open_to_read(root)?.read(1000, 0)?;
        Ok(format!("`{}`", String::from_utf8_lossy(&bytes)))
    }

    fn list(&self, root: &Descriptor) -> Answer {
        let directory = self.open_to_read(root)?;
        let entries = directory.read_directory()?;
        let mut names = Vec::new();
        while let Some(entry) = entries.read_directory_entry()? {
            names.push(entry.name);
        }
        names.sort();
        Ok(names.join(" "))
    }

    fn stat(&self, root: &Descriptor) -> Answer {
        let kind = match root.stat_at(self.follow(), &self.path)?.type_ {
            DescriptorType::RegularFile => "file",
            DescriptorType::Directory => "directory",
            DescriptorType::SymbolicLink => "link",
            _ => "something else",
        };
        Ok(kind.to_owned())
    }

    /// Open it again and again and keep all of them.
    fn hold(&self, root: &Descriptor, held: &mut Held) -> Answer {
        for _ in 0..self.count {
            held.push(self.open_to_read(root)?);
        }
        Ok(held.len().to_string())
    }

    /// Read it again and again, and count the different answers.
    fn again(&self, root: &Descriptor) -> Answer {
        let mut answers = BTreeMap::new();
        for _ in 0..self.count {
            let answer = self.read(root).unwrap_or_else(|code| code.name().to_owned());
            *answers.entry(answer).or_insert(0_u32) += 1;
        }
        Ok(answers.iter().map(|(answer, count)| format!("{answer} {count}")).collect::<Vec<_>>().join(", "))
    }

    /// Writes to its end again and again.
    fn grow(&self, root: &Descriptor) -> Answer {
        let file = self.open(root, OpenFlags::CREATE, DescriptorFlags::WRITE)?;
        for _ in 0..self.count {
            append(&file)?;
        }
        Ok(self.count.to_string())
    }

    /// Changes by what was opened: for writing where that is allowed, else for reading.
    fn change_opened(&self, root: &Descriptor) -> Answer {
        let both = DescriptorFlags::READ | DescriptorFlags::WRITE;
        let file = self
            .open(root, OpenFlags::empty(), both)
            .or_else(|code| self.open_to_read(root).map_err(|_| code))?;
        match self.r#do.as_str() {
            "write" => file.write(b"changed", 0).map(|_| ()),
            "resize" => file.set_size(0),
            "touch" => file.set_times(NewTimestamp::Now, NewTimestamp::Now),
            _ => append(&file),
        }?;
        Ok("done".into())
    }

    fn change(&self, root: &Descriptor) -> Answer {
        let Self { path, to, .. } = self;
        let open = |open| self.open(root, open, DescriptorFlags::WRITE).map(drop);
        match self.r#do.as_str() {
            "create" => open(OpenFlags::CREATE | OpenFlags::EXCLUSIVE),
            "truncate" => open(OpenFlags::TRUNCATE),
            "make-directory" => root.create_directory_at(path),
            "remove-directory" => root.remove_directory_at(path),
            "unlink" => root.unlink_file_at(path),
            "rename" => root.rename_at(path, root, to),
            "link" => root.link_at(PathFlags::empty(), path, root, to),
            "symlink" => root.symlink_at(to, path),
            "set-times" => root.set_times_at(self.follow(), path, NewTimestamp::Now, NewTimestamp::Now),
            "read-link" => return root.readlink_at(path),
            _ => return Ok("no such step".into()),
        }?;
        Ok("done".into())
    }
}

fn append(file: &Descriptor) -> Result<(), ErrorCode> {
    let written = file.append_via_stream()?.blocking_write_and_flush(b"more");
    written.map_err(|error| match error {
        StreamError::Closed => ErrorCode::Pipe,
        StreamError::LastOperationFailed(_) => ErrorCode::Io,
    })
}
