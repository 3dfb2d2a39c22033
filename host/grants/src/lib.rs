//! Decides what a connector may reach: asks, grants and policies become rights, and rights judge each request, each
//! address, each directory and each credential. What is denied is denied with the reason and the lines that would allow it.
//!
//! Pure: no clock, no DNS, no HTTP. An address is judged by whoever dials it, for every answer of DNS.

mod address;
mod credentials;
mod explain;
mod lines;
mod local_names;
mod networks;
mod request;
mod rights;
mod unmet;
mod verdict;

pub use credentials::Credential;
pub use networks::{Refusal, refusal};
pub use request::RequestLine;
pub use rights::{Basis, Directory, Document, Policy, Rights};
pub use unmet::Unmet;
pub use verdict::{Code, Verdict};

#[cfg(test)]
mod tests;
