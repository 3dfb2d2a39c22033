//! Credentials: chosen by the audience of a request, placed after the guest's last touch, renewed when they end. A guest
//! sees that a credential exists and never what it is.
//!
//! What is kept is asked through [`Credentials`]. Invariant: a request whose credential cannot be placed is not sent.

mod answer;
mod ask;
mod aws;
mod broker;
mod error;
mod hmac;
mod identity;
mod jwt;
mod kept;
mod material;
mod place;
mod port;
mod query;
mod redeem;
mod refresh;
mod room;
mod settings;

pub use error::{Error, hint_of};
pub use material::{Generation, Material, Secret, field};
pub use port::{Credentials, StoreError};
pub use settings::{Placed, Settings};

pub(crate) use broker::{Broker, Carried, Payload};
pub(crate) use identity::Identity;
pub(crate) use refresh::Refreshes;
pub(crate) use room::Room;
