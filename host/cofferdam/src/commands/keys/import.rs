//! `cofferdam keys import`: a keyring out of an export, for a new data directory or one that has lost its own.

use serde_json::json;
use vault::ExportSummary;

use super::recovery;
use crate::arguments::Import;
use crate::data::{self, Use};
use crate::document::bytes_of;
use crate::output::Output;
use crate::places;
use crate::problem::Problems;

/// A keyring of a million organizations has about 200 MB.
const EXPORT_BYTES_MAX: u64 = 512 << 20;

pub(super) fn run(command: &Import, output: &Output) -> Result<(), Problems> {
    let path = places::data_here(command.data.as_deref());
    let export = bytes_of("the export", &command.file, EXPORT_BYTES_MAX)?;
    let summary = ExportSummary::parse(&export)?;
    let recovery = recovery::provider(&command.recovery, Use::Known)?;
    let directory = data::import(&path, &command.keys, &summary, |location| {
        vault::Keyring::import(location, &export, recovery.as_ref())
    })?;
    if output.json {
        let deployment = summary.deployment.to_string();
        return output.document(&json!({ "data": path, "deployment": deployment }));
    }
    output.text(&format!("`{}` has its keyring, {}\n", path.display(), directory.settings.words()))
}
