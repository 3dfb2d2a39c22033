//! The sizes above which an answer of a connector is refused, from its limits.

use crate::connection::Connection;
use pipeline::validate::Limits;

pub(crate) fn sizes(connection: &Connection) -> Limits {
    let limits = &connection.inner.meter.limits;
    let bytes = |limit: u64| usize::try_from(limit).unwrap_or(usize::MAX);
    Limits {
        page_rows_max: limits.page_rows,
        batch_bytes_max: bytes(limits.page_bytes),
        checkpoint_bytes_max: bytes(limits.checkpoint_bytes),
        ..Limits::default()
    }
}
