//! Rows of JSON Lines as they are, for records that have no fixed shape.

use serde::de::IgnoredAny;

use super::{
    draft::{Draft, RowFault},
    json::syntax_fault,
    json_lines::LineTaker,
    rows::Context,
    shape::StreamField,
};

/// Takes a line as it is, once it is known to be an object.
pub(crate) struct LinesTaker;

impl LineTaker for LinesTaker {
    fn take(&mut self, line: &str, draft: &mut Draft, _: &Context<'_>) -> Result<Vec<StreamField>, RowFault> {
        serde_json::from_str::<IgnoredAny>(line).map_err(|fault| syntax_fault(&fault))?;
        if !line.starts_with('{') {
            return Err(RowFault::new("not_an_object", "a line must be a JSON object"));
        }
        draft.lines.data.extend_from_slice(line.as_bytes());
        draft.lines.data.push(b'\n');
        draft.lines.row_count += 1;
        Ok(Vec::new())
    }
}
