//! What is kept of syncs, as people and programs see and change it.

mod canary;
mod errors;
mod glass;
mod input;
mod positions;
mod previews;
mod reprocess;
mod runs;
