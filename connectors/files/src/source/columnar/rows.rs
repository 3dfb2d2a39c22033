//! Rows of Parquet into columns: blocks of rows are read column by column, pages are cut out of them.

use std::{collections::BTreeMap, ops::Range};

use cofferdam_sdk::Result;
use parquet::{errors::ParquetError, file::reader::FileReader};

use super::{
    convert::Value,
    file::ParquetFile,
    leaf::{Leaf, Levels},
    nested,
    plan::Node,
};
use crate::{
    columns::Column,
    source::{
        csv::too_large,
        draft::{Draft, RowFault},
        rows::{Context, Filled, Place},
    },
};

/// What a block takes in memory, by the average of its row group.
const BLOCK_BYTES: i64 = 1 << 20;
const BLOCK_ROWS_MAX: i64 = 8192;

pub(crate) struct ParquetRows {
    file: ParquetFile,
    /// For each field of the file its place among the columns of the page.
    plan: Vec<Option<usize>>,
    group: usize,
    /// The columns of the group, for each field that is wanted.
    open: Option<Vec<OpenField>>,
    /// Where the block begins, or where the next one will.
    row: u64,
    block: Option<Block>,
}

/// A field of the row group being read.
struct OpenField {
    field: usize,
    target: usize,
    leaves: Vec<Leaf>,
}

/// Rows that were read and not yet handed over.
struct Block {
    /// Columns of the page and their values.
    columns: Vec<(usize, Column)>,
    rows: usize,
    next: usize,
    /// Rows that are none, and a value of theirs.
    faults: BTreeMap<usize, (RowFault, Vec<u8>)>,
}

impl ParquetRows {
    pub(crate) fn new(file: ParquetFile, plan: Vec<Option<usize>>) -> Self {
        Self { file, plan, group: 0, open: None, row: 0, block: None }
    }

    pub(crate) fn place(&self) -> Place {
        let handed = self.block.as_ref().map_or(0, |block| block.next as u64);
        Place::Rows { group: self.group, row: self.row + handed }
    }

    pub(crate) fn raw_offset(&self) -> u64 {
        self.file.snapshot.size
    }

    pub(crate) fn go_to(&mut self, group: usize, row: u64) {
        (self.group, self.row, self.open, self.block) = (group, row, None, None);
    }

    pub(crate) fn fill(&mut self, draft: &mut Draft, context: &Context<'_>) -> Result<Filled> {
        while !draft.is_full() {
            if let Some(block) = self.block.as_mut().filter(|block| block.next < block.rows) {
                let first = group_start(&self.file, self.group) + self.row;
                if !block.hand_over(draft, context, first) {
                    break;
                }
            } else if !self.next_block()? {
                return Ok(Filled::End);
            }
        }
        Ok(Filled::Full)
    }

    /// Read the block that comes next; false: there is none.
    fn next_block(&mut self) -> Result<bool> {
        self.row += self.block.take().map_or(0, |block| block.rows as u64);
        let block = self.read_block().map_err(|fault| self.file.unreadable(&fault))?;
        self.block = block;
        Ok(self.block.is_some())
    }

    fn read_block(&mut self) -> Result<Option<Block>, ParquetError> {
        let metadata = self.file.reader.metadata();
        let (rows, bytes) = loop {
            let Some(group) = metadata.row_groups().get(self.group) else { return Ok(None) };
            if i64::try_from(self.row).is_ok_and(|row| row < group.num_rows()) {
                break (group.num_rows(), group.total_byte_size());
            }
            (self.group, self.row, self.open) = (self.group + 1, 0, None);
        };
        let left = rows - i64::try_from(self.row).unwrap_or(rows);
        let row_bytes = (bytes / rows.max(1)).max(1);
        let wanted = (BLOCK_BYTES / row_bytes).clamp(1, BLOCK_ROWS_MAX).min(left);
        let wanted = usize::try_from(wanted).unwrap_or(1);
        if self.open.is_none() {
            self.open = Some(self.open_group()?);
        }
        let mut block = Block { columns: Vec::new(), rows: wanted, next: 0, faults: BTreeMap::new() };
        for open in self.open.iter_mut().flatten() {
            let Some(field) = self.file.fields.get(open.field) else { continue };
            let mut column = Column::new(field.kind);
            let mut fault = |row: usize, raw: Vec<u8>, mut fault: RowFault| {
                fault.message = format!("column `{}`: {}", field.name, fault.message);
                block.faults.entry(row).or_insert((fault, raw));
            };
            match (&field.node, open.leaves.as_mut_slice()) {
                (Node::Leaf { .. }, [leaf]) => read_flat(leaf, wanted, &mut column, &mut fault)?,
                (node, leaves) => nested::read(node, leaves, wanted, &mut column, &mut |row, found| {
                    fault(row, Vec::new(), found);
                })?,
            }
            block.columns.push((open.target, column));
        }
        Ok(Some(block))
    }

    fn open_group(&self) -> Result<Vec<OpenField>, ParquetError> {
        let group = self.file.reader.get_row_group(self.group)?;
        let skip = usize::try_from(self.row).unwrap_or(usize::MAX);
        let mut open = Vec::new();
        for (field, (root, target)) in self.file.fields.iter().zip(&self.plan).enumerate() {
            let Some(target) = *target else { continue };
            let mut leaves = Vec::with_capacity(root.leaves.len());
            for plan in &root.leaves {
                let mut leaf = Leaf::new(*plan, group.get_column_reader(plan.number)?);
                if skip > 0 {
                    leaf.skip(skip)?;
                }
                leaves.push(leaf);
            }
            open.push(OpenField { field, target, leaves });
        }
        Ok(open)
    }
}

/// Rows of the file before a row group.
fn group_start(file: &ParquetFile, group: usize) -> u64 {
    let groups = file.reader.metadata().row_groups().iter().take(group);
    groups.map(|group| u64::try_from(group.num_rows()).unwrap_or_default()).sum()
}

fn read_flat(
    leaf: &mut Leaf,
    rows: usize,
    column: &mut Column,
    fault: &mut impl FnMut(usize, Vec<u8>, RowFault),
) -> Result<(), ParquetError> {
    const SHOWN_BYTES: usize = 64 << 10;
    let (conversion, max) = (leaf.plan.conversion, leaf.plan.max_definition);
    let start = column.row_count();
    let push_nulls = |levels: &Levels, column: &mut Column| {
        let after = levels.definition.iter().skip(column.row_count() - start);
        after.take_while(|level| **level < max).for_each(|_| column.push_null());
    };
    let levels = leaf.read(rows, &mut |levels, value| {
        push_nulls(levels, column);
        if let Err(found) = conversion.push(value, column) {
            let raw = match value {
                Value::Bytes(bytes) => bytes.get(..bytes.len().min(SHOWN_BYTES)).unwrap_or_default().to_vec(),
                _ => Vec::new(),
            };
            fault(column.row_count() - start, raw, found);
            column.push_null();
        }
    })?;
    push_nulls(&levels, column);
    if column.row_count() - start == rows {
        return Ok(());
    }
    Err(ParquetError::General("a column has another number of values than its levels say".to_owned()))
}

impl Block {
    /// Move rows into the page; false: the next one does not fit.
    fn hand_over(&mut self, draft: &mut Draft, context: &Context<'_>, first_row: u64) -> bool {
        let next = self.next;
        let number = first_row + next as u64;
        if let Some((mut fault, raw)) = self.faults.remove(&next) {
            fault.message = format!("row {number}: {}", fault.message);
            draft.reject(context.stream, &raw, fault);
            self.next += 1;
            return true;
        }
        let until = self.faults.keys().next().map_or(self.rows, |row| *row);
        let rows = self.fitting(next..until.min(next + draft.rows_left()), draft);
        if rows.is_empty() {
            let text_bytes = self.text_bytes(next..next + 1);
            if !draft.has_room(text_bytes) {
                return false;
            }
            if draft.is_too_large(text_bytes) {
                let fault =
                    RowFault { message: format!("row {number}: the row is too large"), ..too_large() };
                draft.reject(context.stream, b"", fault);
            } else {
                self.push(next..next + 1, draft, context, number);
            }
            self.next += 1;
            return true;
        }
        self.next = rows.end;
        self.push(rows, draft, context, number);
        true
    }

    /// As many of the rows as the page has room for.
    fn fitting(&self, rows: Range<usize>, draft: &Draft) -> Range<usize> {
        let fits =
            |rows: Range<usize>| rows.len() * draft.row_bytes() + self.text_bytes(rows) <= draft.bytes_left();
        let (mut fitting, mut too_many) = (rows.start, rows.end + 1);
        while fitting + 1 < too_many {
            let middle = fitting + (too_many - fitting) / 2;
            if fits(rows.start..middle) { fitting = middle } else { too_many = middle }
        }
        rows.start..fitting
    }

    fn text_bytes(&self, rows: Range<usize>) -> usize {
        self.columns.iter().map(|(_, column)| column.text_bytes(rows.clone())).sum()
    }

    /// Append rows. Where the values that all rows of the file share do not fit their types, all rows are rejected.
    fn push(&self, rows: Range<usize>, draft: &mut Draft, context: &Context<'_>, number: u64) {
        let text_bytes = self.text_bytes(rows.clone());
        for (target, column) in &self.columns {
            if let Some(into) = draft.table.column(*target) {
                into.append(column, rows.clone());
            }
        }
        for _ in rows.clone() {
            if let Err(fault) = context.push_constants(draft) {
                draft.table.abort_row();
                for row in number..number + rows.len() as u64 {
                    let message = format!("row {row}: {}", fault.message);
                    draft.reject(context.stream, b"", RowFault { message, ..fault.clone() });
                }
                return;
            }
        }
        draft.table.end_rows(rows.len());
        draft.added_rows(rows.len() * draft.row_bytes() + text_bytes);
    }
}
