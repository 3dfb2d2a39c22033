//! Sealed storage, held against what it promises. Long rounds run when `COFFERDAM_TEST_LONG` is set.

mod changes;
mod world;
