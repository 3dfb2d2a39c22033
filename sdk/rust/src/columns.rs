//! Rows as columns, in Arrow's memory layout: builders that append, views that read in place.

mod bits;
mod builder;
mod cell;
mod column_builder;
mod row_view;
mod values;
mod view;

pub use builder::ColumnsBuilder;
pub use cell::Cell;
pub use column_builder::ColumnBuilder;
pub use row_view::RowView;
pub use values::{Booleans, Decimals, Values, VarValues};
pub use view::{ColumnView, ColumnsView};

#[cfg(test)]
mod tests;
