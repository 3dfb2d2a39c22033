//! Which hosts a rule means: names and addresses, patterns over them, and paths as they are compared.

mod error;
mod intersection;
mod name;
mod parse;
mod path;
mod pattern;
mod resolve;

pub use error::Error;
pub use name::Host;
pub(crate) use parse::config_key;
pub use path::{AmbiguousPath, normalise_path};
pub use pattern::{HostForm, HostPattern, Scheme, is_usable_method};
pub(crate) use pattern::{sound_methods, sound_prefix, written_key};
pub(crate) use resolve::{config_pointer, config_text};

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;
