//! What `cofferdam serve` is put together of.

mod settings;
mod sources;

pub(crate) use settings::Settings;
