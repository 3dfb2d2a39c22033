//! What a Parquet column means: newer files say it by a logical type, older ones by a converted type.

use cofferdam_sdk::Zone;
use parquet::{
    basic::{ConvertedType, LogicalType, TimeUnit},
    schema::types::ColumnDescriptor,
};

/// In which unit a time is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Millis,
    Micros,
    Nanos,
}

/// What the values of a column mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Annotation {
    None,
    Text,
    Json,
    Uuid,
    Float16,
    Unsigned,
    Date,
    Time(Unit, Zone),
    Timestamp(Unit, Zone),
    Decimal { precision: i32, scale: i32 },
}

impl Annotation {
    pub(crate) fn of(column: &ColumnDescriptor) -> Self {
        match column.logical_type_ref() {
            Some(LogicalType::String | LogicalType::Enum) => Self::Text,
            Some(LogicalType::Json) => Self::Json,
            Some(LogicalType::Uuid) => Self::Uuid,
            Some(LogicalType::Float16) => Self::Float16,
            Some(LogicalType::Integer(integer)) if !integer.is_signed => Self::Unsigned,
            Some(LogicalType::Date) => Self::Date,
            Some(LogicalType::Time(time)) => Self::Time(unit(&time.unit), zone(time.is_adjusted_to_u_t_c)),
            Some(LogicalType::Timestamp(time)) => {
                Self::Timestamp(unit(&time.unit), zone(time.is_adjusted_to_u_t_c))
            }
            Some(LogicalType::Decimal(decimal)) => {
                Self::Decimal { precision: decimal.precision, scale: decimal.scale }
            }
            Some(_) => Self::None,
            None => Self::converted(column),
        }
    }

    /// Times without a logical type are in UTC.
    fn converted(column: &ColumnDescriptor) -> Self {
        match column.converted_type() {
            ConvertedType::UTF8 | ConvertedType::ENUM => Self::Text,
            ConvertedType::JSON => Self::Json,
            ConvertedType::UINT_8
            | ConvertedType::UINT_16
            | ConvertedType::UINT_32
            | ConvertedType::UINT_64 => Self::Unsigned,
            ConvertedType::DATE => Self::Date,
            ConvertedType::TIME_MILLIS => Self::Time(Unit::Millis, Zone::Utc),
            ConvertedType::TIME_MICROS => Self::Time(Unit::Micros, Zone::Utc),
            ConvertedType::TIMESTAMP_MILLIS => Self::Timestamp(Unit::Millis, Zone::Utc),
            ConvertedType::TIMESTAMP_MICROS => Self::Timestamp(Unit::Micros, Zone::Utc),
            ConvertedType::DECIMAL => {
                Self::Decimal { precision: column.type_precision(), scale: column.type_scale() }
            }
            _ => Self::None,
        }
    }
}

fn unit(unit: &TimeUnit) -> Unit {
    match unit {
        TimeUnit::MILLIS => Unit::Millis,
        TimeUnit::MICROS => Unit::Micros,
        TimeUnit::NANOS => Unit::Nanos,
    }
}

fn zone(is_utc: bool) -> Zone {
    if is_utc { Zone::Utc } else { Zone::Local }
}
