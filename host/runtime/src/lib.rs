//! Runs connectors as WASI components in a sandbox.
