//! The most that a connector used of the limits that no counter adds up: those on one instance, one call, one answer.

use pipeline::model::{Batch, Page};
use std::sync::atomic::{AtomicU64, Ordering};

/// The largest of all values that it was told.
#[derive(Debug, Default)]
pub(crate) struct Peak(AtomicU64);

impl Peak {
    pub(crate) fn raise(&self, value: u64) {
        self.0.fetch_max(value, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One for each such limit, by its name.
#[derive(Debug, Default)]
pub(crate) struct Peaks {
    pub(crate) memory_bytes: Peak,
    pub(crate) table_elements: Peak,
    pub(crate) instances: Peak,
    /// Looked at whenever a call ends.
    pub(crate) handles: Peak,
    pub(crate) call_us: Peak,
    pub(crate) host_call_us: Peak,
    pub(crate) request_bytes: Peak,
    pub(crate) response_bytes: Peak,
    pub(crate) page_rows: Peak,
    pub(crate) page_bytes: Peak,
    pub(crate) checkpoint_bytes: Peak,
    pub(crate) error_text_bytes: Peak,
}

impl Peaks {
    /// A connector brought a page.
    pub(crate) fn page(&self, page: &Page) {
        self.batches(&page.batches);
        if let Some(checkpoint) = &page.checkpoint {
            self.checkpoint_bytes.raise(checkpoint.len() as u64);
        }
    }

    /// Batches that came in one answer.
    pub(crate) fn batches<'a>(&self, batches: impl IntoIterator<Item = &'a Batch>) {
        let (mut rows, mut bytes) = (0, 0);
        for batch in batches {
            rows += u64::from(batch.row_count());
            bytes += batch.byte_count() as u64;
        }
        self.page_rows.raise(rows);
        self.page_bytes.raise(bytes);
    }
}
