//! A run against connectors that follow a script, under a clock that jumps.

mod choice;
mod destination;
mod faults;
mod flow;
mod properties;
mod retries;
mod rules;
mod source;
mod stops;
mod sweep;
mod world;
