//! What `cofferdam serve` is put together of.

mod certified;
mod directories;
mod figures;
mod running;
mod settings;
mod sources;
mod watched;

pub(crate) use certified::{Certified, authorities};
pub(crate) use directories::{Tables, tables_of};
pub(crate) use figures::Stands;
pub(crate) use running::Running;
pub(crate) use settings::Settings;
pub(crate) use watched::{Watched, collector};
