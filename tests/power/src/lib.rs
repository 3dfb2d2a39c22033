//! Cuts the power. A recorder writes down, in one order, everything that a real process does to the files of some
//! directories; a model of a disk replays that up to some moment and builds what could be on the disk then. The tests open it
//! and compare with what was acknowledged. `README.md` has the rules of the disk.
//!
//! Knows nothing of what the files mean: that is the part of the program `subject` and of the tests.

mod child;
mod cut;
mod disk;
mod event;
mod recording;
pub mod script;

pub use child::{Ended, run};
pub use cut::moments;
pub use disk::{Disk, Image, Tree};
pub use event::Event;
pub use recording::{Faults, Recording, record, scratch};
