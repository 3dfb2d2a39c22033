//! Executes what the server decides.

mod connectors;

/// Whoever runs connectors for a server.
pub(crate) struct Agent;
