//! What a disk holds for certain, and what it may hold. `README.md` has the rules and why they are so.

mod file;
mod image;
mod names;
mod start;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use fastrand::Rng;

use self::file::{File, Keeps};
use self::names::{Change, Names};
pub use image::{Image, Tree};

use crate::event::Event;

/// A file or a directory, whatever its names. Inodes will not do: their numbers are used again.
type Node = usize;

#[derive(Clone, Debug)]
enum Content {
    File(File),
    Directory,
}

/// A disk of recorded directories as it is at one moment.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    roots: Vec<(PathBuf, Node)>,
    nodes: Vec<(u32, Content)>,
    inodes: BTreeMap<u64, Node>,
    names: Names,
}

/// How bad a cut is.
#[derive(Clone, Copy, Debug)]
struct Style {
    names: names::Kept,
    /// None: each file has its own.
    files: Option<Keeps>,
}

impl Disk {
    /// What happens to the disk next. Chance decides what a failed sync has left.
    ///
    /// # Errors
    /// When it happens to a file that was never there: the recorder has missed something.
    pub fn apply(&mut self, event: &Event, random: &mut Rng) -> Result<()> {
        match event {
            Event::Root { .. } | Event::Mark(_) => {}
            Event::Create { directory, inode, mode, name } => {
                let file = Content::File(File::default());
                self.make(*directory, *inode, (*mode, file), name)?;
            }
            Event::MakeDirectory { directory, inode, mode, name } => {
                self.make(*directory, *inode, (*mode, Content::Directory), name)?;
            }
            Event::Write { inode, offset, data } => {
                self.file(*inode)?.write(usize::try_from(*offset)?, data.clone());
            }
            Event::Resize { inode, size } => self.file(*inode)?.resize(usize::try_from(*size)?),
            Event::Sync { inode, is_data_only } => self.sync(*inode, *is_data_only)?,
            Event::FailedSync { inode } => self.fail_sync(*inode, random)?,
            Event::SyncAll => self.sync_all(),
            Event::Rename { old_directory, old, new_directory, new } => {
                let (from, to) = (self.node(*old_directory)?, self.node(*new_directory)?);
                let node = self.names.find(from, old).context("a name that is not there is renamed")?;
                let gone = Change { directory: from, name: old.clone(), node: None };
                self.names.change(vec![gone, Change { directory: to, name: new.clone(), node: Some(node) }]);
            }
            Event::Unlink { directory, name } => {
                let directory = self.node(*directory)?;
                self.names.change(vec![Change { directory, name: name.clone(), node: None }]);
            }
            Event::Link { directory, inode, name } => {
                let (directory, node) = (self.node(*directory)?, self.node(*inode)?);
                self.names.change(vec![Change { directory, name: name.clone(), node: Some(node) }]);
            }
        }
        Ok(())
    }

    /// What is found when the power comes back, as chance will have it.
    #[must_use]
    pub fn after_cut(&self, random: &mut Rng) -> Image {
        let style = Style::any(random);
        self.image(style, random)
    }

    /// What is there when the process is gone and the machine stays on.
    #[must_use]
    pub fn live(&self) -> Image {
        self.image(Style { names: names::Kept::All, files: Some(Keeps::All) }, &mut Rng::with_seed(0))
    }

    fn image(&self, style: Style, random: &mut Rng) -> Image {
        let kept = self.names.after_cut(style.names, random);
        let seed = random.u64(..);
        Image { roots: self.roots.iter().map(|(_, root)| self.tree(*root, &kept, style, seed)).collect() }
    }

    fn tree(&self, node: Node, names: &names::Entries, style: Style, seed: u64) -> Tree {
        match self.nodes.get(node) {
            Some((mode, Content::File(file))) => {
                // A file with two names has the same contents under both.
                let mut random = Rng::with_seed(seed ^ node as u64);
                let keeps = style.files.unwrap_or_else(|| Keeps::any(&mut random));
                Tree::File { mode: *mode, bytes: file.after_cut(keeps, &mut random) }
            }
            Some((mode, Content::Directory)) => {
                let entries = names.get(&node).into_iter().flatten();
                let trees = entries.map(|(name, node)| (name.clone(), self.tree(*node, names, style, seed)));
                Tree::Directory { mode: *mode, entries: trees.collect() }
            }
            None => unreachable!("names are given to nodes alone"),
        }
    }

    fn add(&mut self, inode: u64, node: (u32, Content)) -> Node {
        let number = self.nodes.len();
        self.nodes.push(node);
        self.inodes.insert(inode, number);
        number
    }

    fn make(&mut self, directory: u64, inode: u64, node: (u32, Content), name: &str) -> Result<()> {
        let directory = self.node(directory)?;
        let node = self.add(inode, node);
        self.names.change(vec![Change { directory, name: name.to_owned(), node: Some(node) }]);
        Ok(())
    }

    fn node(&self, inode: u64) -> Result<Node> {
        self.inodes.get(&inode).copied().with_context(|| format!("inode {inode} was never seen"))
    }

    fn content(&mut self, inode: u64) -> Result<(Node, &mut Content)> {
        let node = self.node(inode)?;
        let (_, content) = self.nodes.get_mut(node).context("a number without its node")?;
        Ok((node, content))
    }

    fn file(&mut self, inode: u64) -> Result<&mut File> {
        match self.content(inode)?.1 {
            Content::File(file) => Ok(file),
            Content::Directory => bail!("inode {inode} is a directory and was written"),
        }
    }

    fn sync(&mut self, inode: u64, is_data_only: bool) -> Result<()> {
        match self.content(inode)? {
            (_, Content::File(file)) => file.sync(is_data_only),
            (node, Content::Directory) => self.names.sync(node),
        }
        Ok(())
    }

    fn fail_sync(&mut self, inode: u64, random: &mut Rng) -> Result<()> {
        match self.content(inode)? {
            (_, Content::File(file)) => file.fail_sync(random),
            (node, Content::Directory) => self.names.fail_sync(node, random),
        }
        Ok(())
    }

    fn sync_all(&mut self) {
        for (_, content) in &mut self.nodes {
            if let Content::File(file) = content {
                file.sync(false);
            }
        }
        self.names.sync_all();
    }
}

impl Style {
    /// Bugs show most where much is lost, or where names and contents part; the rest is anything.
    fn any(random: &mut Rng) -> Self {
        let names = match random.bool() {
            true => names::Kept::InOrder,
            false => names::Kept::Each,
        };
        match random.u8(0..8) {
            0 | 1 => Self { names: names::Kept::None, files: Some(Keeps::Nothing) },
            2 => Self { names: names::Kept::All, files: Some(Keeps::All) },
            3 => Self { names: names::Kept::All, files: Some(Keeps::Nothing) },
            4 => Self { names: names::Kept::None, files: Some(Keeps::All) },
            _ => Self { names, files: None },
        }
    }
}
