//! The values of one column of a batch, looked up by row without asking for the type's name each time.

use cofferdam_sdk::{Booleans, ColumnView, DataType, Decimals, Error, Result, Values, VarValues, Zone};

/// The values of one column.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cells<'a> {
    Boolean(Booleans<'a>),
    Int64(Values<'a, i64>),
    Float64(Values<'a, f64>),
    Decimal(Decimals<'a>),
    Text(VarValues<'a, str>),
    Bytes(VarValues<'a, [u8]>),
    Json(VarValues<'a, str>),
    Date(Values<'a, i32>),
    Time(Values<'a, i64>, Zone),
    Timestamp(Values<'a, i64>, Zone),
}

impl<'a> Cells<'a> {
    pub(crate) fn of(column: &ColumnView<'a>) -> Result<Self> {
        Ok(match column.field().data_type {
            DataType::Boolean => Self::Boolean(column.booleans()?),
            DataType::Int64 => Self::Int64(column.i64s()?),
            DataType::Float64 => Self::Float64(column.f64s()?),
            DataType::Decimal(_) => Self::Decimal(column.decimals()?),
            DataType::Text => Self::Text(column.texts()?),
            DataType::Bytes => Self::Bytes(column.bytes()?),
            DataType::Json => Self::Json(column.jsons()?),
            DataType::Date => Self::Date(column.dates()?),
            DataType::Time(zone) => Self::Time(column.times()?, zone),
            DataType::Timestamp(zone) => Self::Timestamp(column.timestamps()?, zone),
            DataType::List(_) | DataType::Struct(_) => return Err(Error::bug("a reserved type")),
        })
    }
}
