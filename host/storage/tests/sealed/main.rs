//! Sealed storage, held against what it promises. Long rounds run when `COFFERDAM_TEST_LONG` is set.

#![cfg(test)]

mod backups;
mod changes;
mod crashes;
mod durable;
mod engines;
mod erasing;
mod expiry;
mod memory;
mod outdated;
mod places;
mod shredding;
mod world;
