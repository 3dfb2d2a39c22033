//! Values as text, appended to bytes.

mod cells;
mod json;
mod values;

pub(crate) use cells::Cells;
pub(crate) use json::{is_json, write_cell as write_json_cell, write_string as write_json_string};
pub(crate) use values::{
    ValueFault, write_base64, write_boolean, write_date, write_decimal, write_float, write_integer,
    write_time, write_timestamp,
};
