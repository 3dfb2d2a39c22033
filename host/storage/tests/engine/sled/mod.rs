//! What goes wrong with files, disks and processes, and what the durable engine does then.

mod behind;
mod child;
mod compaction;
mod damage;
mod disk;
mod full;
mod journal;
mod kill;
mod open;
mod rebuild;
mod sections;
mod unsynced;
