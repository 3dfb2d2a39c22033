//! Entering credentials: which one is meant, what a person gives for it, and a user's consent where a provider wants it.
//! What is kept of it, and how it is used, is decided elsewhere.

mod bound;
mod callback;
mod calls;
mod chosen;
mod code;
mod consent;
mod enter;
mod error;
mod give_back;
mod given;
mod obtained;
mod providers;
mod refused;
pub(crate) mod revoke;
mod settings;

pub(crate) use bound::binding;
pub(crate) use chosen::{Candidates, Chosen, line_to_add, missing};
pub(crate) use enter::{Entry, entered};
pub(crate) use error::Error;
pub(crate) use given::{NamedText, SecretSource};
pub(crate) use obtained::{How, Obtained, obtained};
pub(crate) use providers::Providers;
pub(crate) use settings::{Settings, by};
