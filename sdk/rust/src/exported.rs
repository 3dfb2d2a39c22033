//! What [`export!`](crate::export) names; no part of the author's API.

pub use crate::{
    destination::Exported as Destination, source::Exported as Source, transform::Exported as Transform,
    webhook::Exported as Webhook,
};
