//! Runs in a server: its people ask for them over HTTP, their connectors run in workers, and what arrived is seen in another
//! system, which outlives the server.

mod authority;
mod certificates;
mod changed;
mod denials;
mod directories;
mod ended;
mod events;
mod killed;
mod quarantine;
mod remote;
mod rows;
mod runs;
mod senders;
mod story;
mod tenants;
mod uploads;
