//! Reads each value once, as a destination that writes it would, without keeping any.

use std::fmt;

use cofferdam_sdk::{ColumnView, ColumnsView, DataType, JsonLines, Result};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use crate::totals::Values;

/// All values of columns.
pub(crate) fn columns(view: &ColumnsView<'_>, values: &mut Values) -> Result<()> {
    view.columns().iter().try_for_each(|column| touch_column(column, values))
}

fn touch_column(column: &ColumnView<'_>, values: &mut Values) -> Result<()> {
    let before = values.present;
    match &column.field().data_type {
        DataType::Boolean => column.booleans()?.iter().flatten().for_each(|value| values.add(value.into())),
        DataType::Int64 => column.i64s()?.iter().flatten().for_each(|value| values.add(value as u64)),
        DataType::Float64 => column.f64s()?.iter().flatten().for_each(|value| values.add(value.to_bits())),
        DataType::Decimal(_) => {
            column.decimals()?.iter().flatten().for_each(|value| values.add(value as u64))
        }
        DataType::Text => {
            column.texts()?.iter().flatten().for_each(|value| values.add(sum(value.as_bytes())))
        }
        DataType::Json => {
            column.jsons()?.iter().flatten().for_each(|value| values.add(sum(value.as_bytes())))
        }
        DataType::Bytes => column.bytes()?.iter().flatten().for_each(|value| values.add(sum(value))),
        DataType::Date => column.dates()?.iter().flatten().for_each(|value| values.add(value as u64)),
        DataType::Time(_) => column.times()?.iter().flatten().for_each(|value| values.add(value as u64)),
        DataType::Timestamp(_) => {
            column.timestamps()?.iter().flatten().for_each(|value| values.add(value as u64))
        }
        // The host of this contract refuses them before.
        DataType::List(_) | DataType::Struct(_) => {}
    }
    let rows = column.row_count();
    let without = rows as u64 - (values.present - before);
    if without > 0 {
        let absent = (0..rows).filter(|row| !column.is_present(*row)).count() as u64;
        values.absent += absent;
        values.null += without - absent;
    }
    Ok(())
}

/// A sum for which every byte must be read.
#[inline]
fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().map(|byte| u64::from(*byte)).sum()
}

/// All values of JSON lines; a line that is no JSON is an error, since the host says that it gives none.
pub(crate) fn json_lines(lines: &JsonLines, values: &mut Values) -> Result<()> {
    for line in lines.lines() {
        let mut deserializer = serde_json::Deserializer::from_slice(line);
        Row(values).deserialize(&mut deserializer)?;
        deserializer.end()?;
    }
    Ok(())
}

/// An object whose members are counted as one value each.
struct Row<'v>(&'v mut Values);

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut key = Member::default();
        while map.next_key_seed(&mut key)?.is_some() {
            let mut member = Member::default();
            map.next_value_seed(&mut member)?;
            if member.is_null { self.0.null += 1 } else { self.0.add(member.sum) }
        }
        Ok(())
    }
}

/// A value, with all that is inside it.
#[derive(Default)]
struct Member {
    sum: u64,
    is_null: bool,
}

impl Member {
    #[inline]
    fn add<E>(&mut self, value: u64) -> Result<(), E> {
        self.sum = self.sum.wrapping_add(value);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for &mut Member {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Member {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.is_null = true;
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.add(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.add(value as u64)
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.add(value)
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.add(value.to_bits())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.add(sum(value.as_bytes()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(&mut *self)?.is_some() {}
        self.is_null = false;
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key_seed(&mut *self)?.is_some() {
            map.next_value_seed(&mut *self)?;
        }
        self.is_null = false;
        Ok(())
    }
}
