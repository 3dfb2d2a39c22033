//! A source that runs a low-code manifest over an HTTP API.
//!
//! The manifest is read by `http-manifest-dialect`; what is here does what it says: requests are put together and sent
//! through [`http::Http`], answers are judged, records taken out, pages and slices followed, positions kept. Nothing
//! is retried: an answer that may be better later is an error that says so, and the host goes on from the last
//! checkpoint. No credential is ever read.

mod answer;
mod call;
mod catalog;
mod changes;
mod cursor;
mod exchange;
mod extract;
mod failure;
mod fields;
mod http;
mod links;
mod memory;
mod paging;
mod position;
mod program;
mod reader;
mod records;
mod source;
mod url;

#[cfg(test)]
mod cases;
