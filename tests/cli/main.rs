//! The command as its user meets it: the built program is run, and what it prints and how it ends is held against
//! snapshots (`INSTA_UPDATE=always` writes them anew, to be read before they are kept).

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "the helpers of tests fail as tests do"
)]

mod acme;
mod agent;
mod alike;
mod api;
mod audit;
mod backup;
mod bad_files;
mod bad_upstreams;
mod bombs;
mod build;
mod canary;
mod cassettes;
mod changing_files;
mod columns;
mod commands;
mod components;
mod connect;
mod consented;
mod counted;
mod credentials;
mod data;
mod denied;
mod described;
mod doctor;
mod documents;
mod errors;
mod examples;
mod failures;
mod full_disk;
mod guest_memory;
mod held;
mod help;
mod identity;
mod keys;
mod killed;
mod kinds;
mod machines;
mod memory;
mod nginx;
mod output;
mod packed;
mod placed;
mod placed_low_code;
mod rejects;
mod remote;
mod reprocess;
mod reveal;
mod rows;
mod runs;
mod secret_names;
mod secure;
mod serve;
mod serving;
mod stopped;
mod taken;
mod template;
mod terminal;
mod upstreams;
mod watched;
mod workers;
mod world;
mod written;
