//! A run against connectors that follow a script, under a clock that jumps.

mod choice;
mod destination;
mod faults;
mod flow;
mod log;
mod properties;
mod records;
mod replay;
mod reprocess;
mod retries;
mod row_data;
mod rules;
mod secrets;
mod source;
mod stops;
mod superseded;
mod sweep;
mod world;
