//! Which Rust types fields may have, and how each travels.

use super::{Date, Decimal, LocalTime, LocalTimestamp, Time, Timestamp};
use crate::{Cell, ColumnBuilder, DataType, Field, Zone};

/// A Rust type that a field of a typed row may have (see [`row!`](crate::row)).
pub trait Value: Sized {
    /// The field's type and logical type; whether it may be null.
    fn field(name: &str) -> Field;

    /// Append the value to a column of that type.
    fn append_to(&self, column: &mut ColumnBuilder);

    /// Back from a column of that type; `None` if this value cannot be one, such as a null in a `String`.
    fn from_cell(cell: Cell<'_>) -> Option<Self>;
}

macro_rules! value {
    ($type:ty, $data_type:expr, $push:expr, $cell:pat => $read:expr) => {
        impl Value for $type {
            fn field(name: &str) -> Field {
                Field::new(name, $data_type)
            }

            #[inline]
            fn append_to(&self, column: &mut ColumnBuilder) {
                let push: fn(&mut ColumnBuilder, &Self) = $push;
                push(column, self);
            }

            #[inline]
            fn from_cell(cell: Cell<'_>) -> Option<Self> {
                match cell {
                    $cell => $read,
                    _ => None,
                }
            }
        }
    };
}

value!(bool, DataType::Boolean, |column, value| column.push_bool(*value), Cell::Boolean(value) => Some(value));
value!(i64, DataType::Int64, |column, value| column.push_i64(*value), Cell::Int64(value) => Some(value));
value!(i32, DataType::Int64, |column, value| column.push_i64((*value).into()), Cell::Int64(value) => value.try_into().ok());
value!(i16, DataType::Int64, |column, value| column.push_i64((*value).into()), Cell::Int64(value) => value.try_into().ok());
value!(u32, DataType::Int64, |column, value| column.push_i64((*value).into()), Cell::Int64(value) => value.try_into().ok());
value!(u16, DataType::Int64, |column, value| column.push_i64((*value).into()), Cell::Int64(value) => value.try_into().ok());
value!(u8, DataType::Int64, |column, value| column.push_i64((*value).into()), Cell::Int64(value) => value.try_into().ok());
value!(f64, DataType::Float64, |column, value| column.push_f64(*value), Cell::Float64(value) => Some(value));
value!(String, DataType::Text, |column, value| column.push_str(value), Cell::Text(value) => Some(value.to_owned()));
value!(Vec<u8>, DataType::Bytes, |column, value| column.push_bytes(value), Cell::Bytes(value) => Some(value.to_vec()));
value!(
    serde_json::Value, DataType::Json,
    |column, value| column.push_json(&value.to_string()),
    Cell::Json(value) => serde_json::from_str(value).ok()
);
value!(Date, DataType::Date, |column, value| column.push_date(value.0), Cell::Date(days) => Some(Date(days)));
value!(
    Time, DataType::Time(Zone::Utc),
    |column, value| column.push_time(value.0),
    Cell::Time(micros, Zone::Utc) => Some(Time(micros))
);
value!(
    LocalTime, DataType::Time(Zone::Local),
    |column, value| column.push_time(value.0),
    Cell::Time(micros, Zone::Local) => Some(LocalTime(micros))
);
value!(
    Timestamp, DataType::Timestamp(Zone::Utc),
    |column, value| column.push_timestamp(value.0),
    Cell::Timestamp(micros, Zone::Utc) => Some(Timestamp(micros))
);
value!(
    LocalTimestamp, DataType::Timestamp(Zone::Local),
    |column, value| column.push_timestamp(value.0),
    Cell::Timestamp(micros, Zone::Local) => Some(LocalTimestamp(micros))
);

/// As text with the logical type `uint64`, for no number of the contract holds all of them.
impl Value for u64 {
    fn field(name: &str) -> Field {
        Field::new(name, DataType::Text).logical_type("uint64")
    }

    fn append_to(&self, column: &mut ColumnBuilder) {
        column.push_str(&self.to_string());
    }

    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        if let Cell::Text(text) = cell { text.parse().ok() } else { None }
    }
}

impl<const PRECISION: u8, const SCALE: u8> Value for Decimal<PRECISION, SCALE> {
    fn field(name: &str) -> Field {
        Field::new(name, DataType::decimal(PRECISION, SCALE))
    }

    fn append_to(&self, column: &mut ColumnBuilder) {
        column.push_decimal(self.unscaled());
    }

    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Decimal { unscaled, scale } if scale == SCALE => Self::new(unscaled).ok(),
            _ => None,
        }
    }
}

/// `None` is null. An absent field reads as `None` too; where the difference matters, use [`Patch`].
impl<T: Value> Value for Option<T> {
    fn field(name: &str) -> Field {
        T::field(name).nullable()
    }

    #[inline]
    fn append_to(&self, column: &mut ColumnBuilder) {
        match self {
            Some(value) => value.append_to(column),
            None => column.push_null(),
        }
    }

    #[inline]
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Null | Cell::Absent => Some(None),
            cell => T::from_cell(cell).map(Some),
        }
    }
}

/// A field of a change: untouched, cleared, or set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// The destination leaves the field as it is.
    #[default]
    Absent,
    /// The field becomes null.
    Null,
    /// The field becomes this.
    Value(T),
}

impl<T: Value> Value for Patch<T> {
    fn field(name: &str) -> Field {
        T::field(name).nullable()
    }

    #[inline]
    fn append_to(&self, column: &mut ColumnBuilder) {
        match self {
            Self::Absent => column.push_absent(),
            Self::Null => column.push_null(),
            Self::Value(value) => value.append_to(column),
        }
    }

    #[inline]
    fn from_cell(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Absent => Some(Self::Absent),
            Cell::Null => Some(Self::Null),
            cell => T::from_cell(cell).map(Self::Value),
        }
    }
}
