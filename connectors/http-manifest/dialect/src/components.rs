//! The components of the dialect, one file for each family.

pub(crate) mod authenticator;
pub(crate) mod body;
pub(crate) mod cursor;
pub(crate) mod error_handler;
pub(crate) mod paginator;
pub(crate) mod request_option;
pub(crate) mod requester;
pub(crate) mod schema_loader;
pub(crate) mod selector;
pub(crate) mod source;
pub(crate) mod spec;
pub(crate) mod stream;
pub(crate) mod transformation;

#[cfg(test)]
mod tests;
