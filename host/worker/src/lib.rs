//! Runs connectors in a process of their own.
//!
//! A [`Compiler`] compiles components, each in a process that sees no other. A [`Crew`] starts workers and knows which connector took one with it; a [`Connection`] is what `runtime::Connection` is, with
//! its instances in a worker; [`Source`], [`Destination`] and [`Transform`] implement the ports of `pipeline` over it, and
//! [`Webhook`] is what `runtime::Webhook` is. In the
//! worker, [`run`] puts up the walls and serves the parent. How the halves speak stands in `host/docs/workers.md`.
//!
//! Keys, credentials, addresses and what must not be seen stay in the parent. Knows no organization and no storage.

mod body;
mod compiler;
mod error;
mod frame;
mod inside;
mod message;
mod parent;
mod selfcheck;
mod start;
mod walls;

pub use compiler::Compiler;
pub use error::{Error, NotCompiled};
pub use parent::{
    CRASHES_MAX, Connection, Crew, Destination, Loaded, Losses, Passing, Program, Source, Tally, Transform,
    Webhook, tally,
};
pub use selfcheck::{Attempt, attempts};
pub use start::{check, run};
pub use walls::{Wall, Walls};
