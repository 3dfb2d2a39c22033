//! What `cofferdam serve` is put together of.

mod running;
mod settings;
mod sources;

pub(crate) use running::Running;
pub(crate) use settings::Settings;
