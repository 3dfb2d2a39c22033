//! Faults of a manifest and of its templates as the errors on which the host acts.

use cofferdam_sdk::{Error, FieldFault};
use http_manifest_dialect::{Faults, template, time};

/// A template that fails in use: the manifest and the configuration do not fit each other, or the answers.
pub(crate) fn template(error: template::Error) -> Error {
    Error::config("", error.to_string())
}

/// A date or a duration of the configuration that is none.
pub(crate) fn time(what: &str, error: &time::Error) -> Error {
    Error::config("", format!("{what}: {error}"))
}

/// Every fault of a manifest, at the place where the configuration holds it.
pub(crate) fn manifest(path: &str, faults: &Faults) -> Error {
    let fault = |message: String| FieldFault { path: path.to_owned(), message };
    Error::Config(faults.0.iter().map(|one| fault(one.to_string())).collect())
}
