//! The worker's half: runs guests as they run in one process, and answers the parent over one socket.

mod calls;
mod components;
mod connections;
mod http;
mod serve;
#[cfg(test)]
mod tests;

pub(crate) use serve::serve;
