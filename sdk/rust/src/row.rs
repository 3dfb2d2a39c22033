//! Typed rows: a plain struct that knows its fields and travels as columns.

use crate::{ColumnsBuilder, Field, Result, RowView, Schema};

/// A struct made by [`row!`](crate::row).
pub trait Row: Sized {
    /// The fields, in the order of the struct.
    fn fields() -> Vec<Field>;

    /// Append this row to columns of these fields.
    fn append_to(&self, columns: &mut ColumnsBuilder);

    /// Back from a row whose columns are these fields, in this order.
    fn read(row: &RowView<'_>) -> Result<Self>;

    /// The fields as a schema.
    fn schema() -> Schema {
        Schema::new(Self::fields())
    }
}

/// Defines structs that are rows: their schema follows from their fields, and they travel as columns both ways.
///
/// Each field's type is one of those that implement [`Value`](crate::Value). `as` gives the column another name than
/// the Rust field. Attributes pass through, so a struct may derive `serde::Deserialize` and come straight from an API.
///
/// ```
/// use cofferdam_sdk::{ColumnsBuilder, ColumnsView, Row, row};
///
/// row! {
///     /// A film.
///     #[derive(Debug, PartialEq)]
///     pub struct Movie {
///         pub title: String,
///         pub year: Option<i64>,
///         pub rating: f64 as "IMDB Rating",
///     }
/// }
///
/// let metropolis = Movie { title: "Metropolis".to_owned(), year: Some(1927), rating: 8.3 };
/// let fields = Movie::fields();
/// let mut columns = ColumnsBuilder::new(&fields);
/// columns.push(&metropolis);
/// let columns = columns.finish()?;
///
/// let view = ColumnsView::new(&fields, &columns)?;
/// assert_eq!(view.f64s("IMDB Rating")?.get(0), Some(8.3));
/// assert_eq!(view.rows::<Movie>()?.next(), Some(Ok(metropolis)));
/// # Ok::<(), cofferdam_sdk::Error>(())
/// ```
#[macro_export]
macro_rules! row {
    ($(
        $(#[$struct_attribute:meta])*
        $struct_visibility:vis struct $name:ident {
            $(
                $(#[$attribute:meta])*
                $visibility:vis $field:ident : $type:ty $(as $column:literal)?
            ),+ $(,)?
        }
    )+) => {$(
        $(#[$struct_attribute])*
        $struct_visibility struct $name {
            $( $(#[$attribute])* $visibility $field: $type, )+
        }

        impl $crate::Row for $name {
            fn fields() -> ::std::vec::Vec<$crate::Field> {
                ::std::vec![$( <$type as $crate::Value>::field($crate::__column_name!($field $($column)?)) ),+]
            }

            fn append_to(&self, columns: &mut $crate::ColumnsBuilder) {
                let mut place = 0_usize..;
                $(
                    $crate::Value::append_to(&self.$field, columns.column(place.next().unwrap_or_default()));
                )+
            }

            fn read(row: &$crate::RowView<'_>) -> $crate::Result<Self> {
                let mut place = 0_usize..;
                ::std::result::Result::Ok(Self {
                    $( $field: row.get(place.next().unwrap_or_default())?, )+
                })
            }
        }
    )+};
}

#[doc(hidden)]
#[macro_export]
macro_rules! __column_name {
    ($field:ident) => {
        // A raw identifier such as `r#type` names the column `type`.
        ::std::stringify!($field).trim_start_matches("r#")
    };
    ($field:ident $column:literal) => {
        $column
    };
}
