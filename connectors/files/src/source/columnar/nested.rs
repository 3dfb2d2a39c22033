//! Puts fields within fields together as JSON, from the levels of their columns.

use std::collections::BTreeMap;

use cofferdam_sdk::{Columns, ColumnsView, Field};
use parquet::errors::{ParquetError, Result};

use super::{
    leaf::{Leaf, Levels},
    plan::Node,
};
use crate::{
    columns::Column,
    source::draft::RowFault,
    text::{Cells, write_json_cell, write_json_string},
};

/// Some rows of one column: the values that are there, and the levels of all.
struct Read {
    levels: Levels,
    max_definition: i16,
    field: Field,
    values: Columns,
    /// Values that could not be converted, by their place.
    faults: BTreeMap<usize, RowFault>,
}

/// Read so many rows of a field into a column of JSON. Rows that cannot be said get a null and an entry in `faults`.
pub(crate) fn read(
    node: &Node,
    leaves: &mut [Leaf],
    rows: usize,
    column: &mut Column,
    faults: &mut impl FnMut(usize, RowFault),
) -> Result<()> {
    let reads = leaves.iter_mut().map(|leaf| read_leaf(leaf, rows)).collect::<Result<Vec<_>>>()?;
    let mut cursors = Vec::with_capacity(reads.len());
    let views = reads.iter().map(|read| {
        let view = ColumnsView::new(std::slice::from_ref(&read.field), &read.values);
        view.map_err(|fault| ParquetError::General(fault.to_string()))
    });
    let views = views.collect::<Result<Vec<_>>>()?;
    for (read, view) in reads.iter().zip(&views) {
        let cells = view.columns().first().map(Cells::of).transpose();
        let cells = cells.map_err(|fault| ParquetError::General(fault.to_string()))?;
        let cells = cells.ok_or_else(|| ParquetError::General("a leaf without values".to_owned()))?;
        cursors.push(Cursor { read, cells, level: 0, value: 0 });
    }
    let mut text = Vec::new();
    for row in 0..rows {
        text.clear();
        let mut writer = Writer { cursors: &mut cursors, fault: None };
        let there = writer.write(node, &mut text)?;
        let fault = writer.fault.take();
        let json = std::str::from_utf8(&text).ok().filter(|_| there && fault.is_none());
        if !json.is_some_and(|json| column.push_json(json)) {
            column.push_null();
        }
        if let Some(fault) = fault {
            faults(row, fault);
        }
    }
    Ok(())
}

fn read_leaf(leaf: &mut Leaf, rows: usize) -> Result<Read> {
    let conversion = leaf.plan.conversion;
    let mut column = Column::new(conversion.kind);
    let mut faults = BTreeMap::new();
    let levels = leaf.read(rows, &mut |_, value| {
        if let Err(fault) = conversion.push(value, &mut column) {
            faults.insert(column.row_count(), fault);
            column.push_null();
        }
    })?;
    let row_count = u32::try_from(column.row_count())
        .map_err(|_| ParquetError::General("more values than can be counted".to_owned()))?;
    let values = Columns { row_count, columns: vec![column.finish()], children: Vec::new() };
    let max_definition = leaf.plan.max_definition;
    Ok(Read {
        levels,
        max_definition,
        field: Field::new("value", conversion.kind.data_type()).nullable(),
        values,
        faults,
    })
}

/// Where a column is read.
struct Cursor<'a> {
    read: &'a Read,
    cells: Cells<'a>,
    level: usize,
    value: usize,
}

impl Cursor<'_> {
    /// How much of the value that comes next is there. A column without levels has every value.
    fn definition(&self) -> i16 {
        let definition = &self.read.levels.definition;
        if definition.is_empty() { i16::MAX } else { definition.get(self.level).copied().unwrap_or(-1) }
    }

    /// At which level the value that comes next repeats the one before; 0 at a new row and at the end.
    fn repetition(&self) -> i16 {
        self.read.levels.repetition.get(self.level).copied().unwrap_or_default()
    }
}

struct Writer<'w, 'a> {
    cursors: &'w mut [Cursor<'a>],
    fault: Option<RowFault>,
}

impl<'a> Writer<'_, 'a> {
    fn cursor(&mut self, leaf: usize) -> Result<&mut Cursor<'a>> {
        self.cursors.get_mut(leaf).ok_or_else(|| ParquetError::General("a field without a column".to_owned()))
    }

    /// Append the value that comes next; false: there is none.
    fn write(&mut self, node: &Node, out: &mut Vec<u8>) -> Result<bool> {
        if self.cursor(node.first_leaf())?.definition() < node.level() {
            self.pass(node);
            return Ok(false);
        }
        match node {
            Node::Leaf { leaf, .. } => return self.write_leaf(*leaf, out),
            Node::Group { members, .. } => {
                out.push(b'{');
                for (place, (name, member)) in members.iter().enumerate() {
                    if place > 0 {
                        out.push(b',');
                    }
                    write_json_string(out, name);
                    out.push(b':');
                    self.write_or_null(member, out)?;
                }
                out.push(b'}');
            }
            Node::List { item, item_level, repetition, .. } => {
                out.push(b'[');
                self.write_items(node, *item_level, *repetition, out, |writer, out| {
                    writer.write_or_null(item, out)
                })?;
                out.push(b']');
            }
            Node::Map { key, value, item_level, repetition, .. } => {
                out.push(b'{');
                self.write_items(node, *item_level, *repetition, out, |writer, out| {
                    writer.write_key(*key, out)?;
                    out.push(b':');
                    match value {
                        Some(value) => writer.write_or_null(value, out),
                        None => {
                            out.extend_from_slice(b"null");
                            Ok(())
                        }
                    }
                })?;
                out.push(b'}');
            }
        }
        Ok(true)
    }

    fn write_or_null(&mut self, node: &Node, out: &mut Vec<u8>) -> Result<()> {
        if !self.write(node, out)? {
            out.extend_from_slice(b"null");
        }
        Ok(())
    }

    /// Write items while the levels say that there are more.
    fn write_items(
        &mut self,
        node: &Node,
        item_level: i16,
        repetition: i16,
        out: &mut Vec<u8>,
        mut write: impl FnMut(&mut Self, &mut Vec<u8>) -> Result<()>,
    ) -> Result<()> {
        let first = node.first_leaf();
        if self.cursor(first)?.definition() < item_level {
            self.pass(node);
            return Ok(());
        }
        loop {
            let before = self.cursor(first)?.level;
            write(self, out)?;
            let cursor = self.cursor(first)?;
            if cursor.repetition() < repetition || cursor.level == before {
                return Ok(());
            }
            out.push(b',');
        }
    }

    fn write_leaf(&mut self, leaf: usize, out: &mut Vec<u8>) -> Result<bool> {
        let cursor = self.cursor(leaf)?;
        let written = match cursor.read.faults.get(&cursor.value) {
            Some(fault) => Err(fault.clone()),
            None => write_json_cell(out, &cursor.cells, cursor.value)
                .map_err(|fault| RowFault::new(fault.code, fault.what)),
        };
        (cursor.level, cursor.value) = (cursor.level + 1, cursor.value + 1);
        Ok(written.unwrap_or_else(|fault| {
            self.fault.get_or_insert(fault);
            false
        }))
    }

    /// Keys of JSON are strings, whatever they are in the file.
    fn write_key(&mut self, leaf: usize, out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        let max = self.cursor(leaf)?.read.max_definition;
        let there = self.cursor(leaf)?.definition() >= max && self.write_leaf(leaf, out)?;
        if !there {
            self.fault.get_or_insert(RowFault::new("null_key", "a map has a key that is null"));
            out.extend_from_slice(b"\"\"");
        } else if out.get(start) != Some(&b'"') {
            let text = out.split_off(start);
            write_json_string(out, &String::from_utf8_lossy(&text));
        }
        Ok(())
    }

    /// Pass over a value that is not there.
    fn pass(&mut self, node: &Node) {
        node.for_each_leaf(&mut |leaf| {
            if let Some(cursor) = self.cursors.get_mut(leaf) {
                cursor.level += 1;
            }
        });
    }
}
