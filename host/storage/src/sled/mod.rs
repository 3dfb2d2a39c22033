//! The durable engine: sled 0.34.7 behind a commit journal.
//!
//! sled's own `flush` is not durable on Linux, and its files are not made to survive a power cut. So the truth is the
//! **journal**: a commit is acknowledged after one write and one sync of it. From then on readers find it in the **overlay**, in
//! memory, from which a thread applies it to the **database** of sled. That is what the journal amounts to, synced behind it; it
//! says itself up to which commit it goes, and opening it applies the rest. What is broken is noticed
//! (checksums, MACs, counts), kept aside and built anew from the journal and the newest backup, or refused: nothing is ever
//! repaired in silence.
//!
//! **Invariant:** the journal has every commit behind what is durable in the database.
//! **Invariant:** what a reader sees is durable: a commit comes into the overlay after its sync.
//! **Invariant:** a leaf of the database is cut in one step, so whoever looks for an entry that stays finds it at every moment.
//! **Invariant:** one thread at a time writes to the journal, the one that leads a group; one thread writes to the database.

mod applier;
mod codec;
mod commits;
mod compact;
mod database;
mod disk;
mod durable;
mod engine;
mod error;
mod expected;
mod fence;
mod frame;
mod group;
mod journal;
mod layout;
mod leaf;
mod line;
mod lock;
mod opening;
mod options;
mod overlay;
mod probe;
mod reading;
mod rebuild;
mod replay;
mod room;
mod segment;
mod shared;
mod snapshot;
mod stored;
mod survey;

pub use disk::{Disk, OsDisk};
pub use engine::{SledEngine, Status};
pub use error::OpenError;
pub use journal::FREE_BYTES_MIN;
pub use options::{BackupItems, NewestBackup, Options, Probe};
pub use probe::probe_main;
