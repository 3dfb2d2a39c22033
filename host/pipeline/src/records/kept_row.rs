//! A row of a batch that it may share with others: many rows of one batch are kept without a copy of each.

use crate::model::Batch;
use crate::rows;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::sync::Arc;

/// One row, as a batch of its own would hold it: equal to another and serialized by that batch, whatever it is shared with.
#[derive(Clone)]
pub struct KeptRow {
    batch: Arc<Batch>,
    row: u32,
}

impl KeptRow {
    /// A row of this batch, which lives as long as any row of it; none past its end.
    pub fn new(batch: Arc<Batch>, row: u32) -> Option<Self> {
        (row < batch.row_count()).then_some(Self { batch, row })
    }

    /// The only row of this batch.
    pub fn alone(batch: Batch) -> Self {
        Self { batch: Arc::new(batch), row: 0 }
    }

    /// The row as a batch of its own, bit by bit, with its schema version.
    pub fn to_batch(&self) -> Batch {
        if self.is_alone() { self.batch.as_ref().clone() } else { rows::take(&self.batch, &[self.row]) }
    }

    /// As [`KeptRow::to_batch`], without a copy where nobody shares it.
    pub fn into_batch(self) -> Batch {
        if self.is_alone() { Arc::unwrap_or_clone(self.batch) } else { self.to_batch() }
    }

    /// The batch in which it is, and where.
    pub fn place(&self) -> (&Arc<Batch>, u32) {
        (&self.batch, self.row)
    }

    fn is_alone(&self) -> bool {
        self.batch.row_count() == 1
    }
}

impl PartialEq for KeptRow {
    fn eq(&self, other: &Self) -> bool {
        let is_same = Arc::ptr_eq(&self.batch, &other.batch) && self.row == other.row;
        is_same || self.to_batch() == other.to_batch()
    }
}

impl fmt::Debug for KeptRow {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_batch().fmt(formatter)
    }
}

impl Serialize for KeptRow {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_alone() { self.batch.serialize(serializer) } else { self.to_batch().serialize(serializer) }
    }
}

impl<'de> Deserialize<'de> for KeptRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Batch::deserialize(deserializer).map(Self::alone)
    }
}

#[cfg(test)]
mod tests {
    use super::KeptRow;
    use crate::fixtures::{column, columns_batch, lines_batch};
    use crate::model::{Batch, ColumnData};
    use std::sync::Arc;

    fn batches() -> [Batch; 2] {
        let columns = vec![column(ColumnData::Int64(vec![7, 8, 7]))];
        [columns_batch("s", 3, columns), lines_batch("s", &[r#"{"a":7}"#, r#"{"a":8}"#, r#"{"a":7}"#])]
    }

    #[test]
    fn a_row_is_what_a_batch_of_its_own_would_be() {
        for batch in batches() {
            let batch = Arc::new(batch);
            let rows: Vec<KeptRow> = (0..4).filter_map(|row| KeptRow::new(Arc::clone(&batch), row)).collect();
            assert_eq!(rows.len(), 3);
            assert!(rows[0] == rows[2] && rows[0] != rows[1]);
            let alone = KeptRow::alone(crate::rows::row(&batch, 1).unwrap());
            assert_eq!((&rows[1], rows[1].to_batch()), (&alone, alone.clone().into_batch()));
            let json = serde_json::to_string(&rows[1]).unwrap();
            assert_eq!(json, serde_json::to_string(&alone.to_batch()).unwrap());
            assert_eq!(serde_json::from_str::<KeptRow>(&json).unwrap(), rows[1]);
            assert_eq!(format!("{:?}", rows[1]), format!("{:?}", alone.into_batch()));
        }
    }
}
