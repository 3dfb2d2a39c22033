//! Runs connectors as WASI components in a sandbox.
//!
//! [`Runtime`] is the engine of a process, [`Component`] a loaded connector, [`Connection`] a component with its
//! configuration and rights; [`Source`], [`Destination`], [`Transform`] and [`Webhook`] are its roles, of which the first
//! three implement the ports of `pipeline`. Knows no retry policy and no organization.

mod apart;
mod cache;
mod component;
mod connection;
mod contract;
mod descriptors;
mod engine;
mod error;
mod executor;
mod explain;
mod habits;
mod heap;
mod imports;
mod inspect;
mod instance;
mod limiter;
mod limits;
mod logs;
mod long;
mod meter;
mod peaks;
mod roles;
mod slice;
mod state;
mod stop;
mod tail;
pub mod text;
mod ticker;
mod v0_1;

pub use apart::Compiling;
pub use component::{CODE_KEY_BYTES, Component, seal_code};
pub use connection::{Connection, Grants, PROGRAM_KEY};
pub use contract::CONTRACTS;
pub use engine::{Runtime, Settings, instances_allowed};
pub use error::Error;
pub use heap::give_back_freed_memory;
pub use imports::directory::{Directory, Opened};
pub use imports::http::{Answer, HttpOut, NoHttp};
pub use inspect::{CONTRACT_SECTION, Inspection, MANIFEST_SECTION, PROGRAM_SECTION};
pub use limits::Limits;
pub use logs::{Level, LogSink, NoLogs};
pub use roles::{Challenge, ChallengeAnswer, Destination, Message, Source, Transform, Webhook};
pub use stop::{Stop, Stopper};
pub use tail::LogTail;
