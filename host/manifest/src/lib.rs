//! Reads the two documents that people write: `connector.toml` (what a connector is and asks for) and `sync.toml`
//! (what one sync does), and reports every fault of them with its place.
//!
//! Pure: it opens no file, resolves no name and knows no wasm.

mod addresses;
mod amount;
mod asks;
mod config;
mod connector;
pub mod credential;
mod fault;
mod grants;
pub mod host;
mod json;
mod limits;
mod place;
mod reader;
mod sync;
mod text;
mod webhook;

pub use addresses::AddressGrant;
pub use asks::{Access, Asks, DirectoryAsk, HostAsk};
pub use config::ConfigFault;
pub use connector::{Manifest, Role};
pub use credential::{CredentialAsk, CredentialKind};
pub use fault::{Code, Fault, Faults};
pub use grants::{Authority, CredentialGrant, DirectoryGrant, Grants, Offer, TlsGrant, is_stored_name};
pub use host::{Host, HostPattern, Scheme};
pub use limits::{Limits, Unit};
pub use place::Excerpt;
pub use sync::{
    Comparison, Condition, Connection, Mode, RejectPolicy, Rejects, RowData, RunOptions, StreamSelection,
    SyncFile,
};
pub use text::did_you_mean;
pub use webhook::{BodyChallenge, HeaderFields, HmacHeader, SignatureScheme, WebhookAsk};
