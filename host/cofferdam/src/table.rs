//! Plain tables: aligned columns, no lines, the same on every terminal.

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table as Grid};

use crate::text::plain_line;

/// Rows under headings.
pub(crate) struct Table {
    grid: Grid,
    right: Vec<bool>,
}

impl Table {
    /// Headings; one that begins with `>` has figures below it, aligned to the right.
    pub(crate) fn new(headings: &[&str]) -> Self {
        let mut grid = Grid::new();
        grid.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        let right: Vec<bool> = headings.iter().map(|heading| heading.starts_with('>')).collect();
        grid.set_header(headings.iter().map(|heading| plain_line(heading.trim_start_matches('>'))));
        Self { grid, right }
    }

    /// Names that are not ours: they stay as they are.
    pub(crate) fn of_names<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        let mut table = Self::new(&[]);
        table.grid.set_header(names.into_iter().map(plain_line));
        table
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.grid.add_row(cells.into_iter().map(|cell| plain_line(&cell)));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.grid.row_count() == 0
    }

    /// Each line indented, without blanks at its end.
    pub(crate) fn render(mut self, indent: usize) -> String {
        for (index, column) in self.grid.column_iter_mut().enumerate() {
            let right = self.right.get(index).copied().unwrap_or(false);
            column.set_padding((0, 2));
            column.set_cell_alignment(if right { CellAlignment::Right } else { CellAlignment::Left });
        }
        let indent = " ".repeat(indent);
        self.grid.lines().map(|line| format!("{indent}{}\n", line.trim_end())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn figures_stand_to_the_right_and_words_to_the_left() {
        let mut table = Table::new(&["STREAM", ">ROWS", "NOTE"]);
        table.row(["people".into(), "1,000".into(), String::new()]);
        table.row(["ö\u{1b}[2J".into(), "7".into(), "late".into()]);
        let expected = "  STREAM       ROWS  NOTE\n  people      1,000\n  ö\\u{1b}[2J      7  late\n";
        assert_eq!(table.render(2), expected);
    }
}
