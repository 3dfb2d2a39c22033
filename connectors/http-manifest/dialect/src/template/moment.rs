//! A date, or a date with a time, as templates handle it.

use std::{cmp::Ordering, fmt, sync::Arc};

use minijinja::{
    Error, ErrorKind, State, Value,
    value::{DynObject, Object, ObjectRepr, from_args},
};

use crate::time;

/// A moment in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// Since 1970.
    pub(super) micros: i64,
    /// Whether it is a day without a time.
    pub(super) day_only: bool,
}

impl Moment {
    pub(super) fn value(micros: i64) -> Value {
        Value::from_object(Self { micros, day_only: false })
    }

    pub(super) fn formatted(self, format: &str) -> Result<String, Error> {
        time::format(self.micros, format).map_err(failed)
    }
}

pub(super) fn failed(error: impl fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidOperation, error.to_string())
}

/// As Python shows it.
impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shape = match (self.day_only, self.micros % 1_000_000) {
            (true, _) => "%Y-%m-%d",
            (false, 0) => "%Y-%m-%d %H:%M:%S+00:00",
            (false, _) => "%Y-%m-%d %H:%M:%S.%f+00:00",
        };
        formatter.write_str(&time::format(self.micros, shape).map_err(|_| fmt::Error)?)
    }
}

impl Object for Moment {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let format = match key.as_str()? {
            "year" => "%Y",
            "month" => "%m",
            "day" => "%d",
            "hour" => "%H",
            "minute" => "%M",
            "second" => "%S",
            "microsecond" => "%f",
            _ => return None,
        };
        self.formatted(format).ok()?.parse::<i64>().ok().map(Value::from)
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        arguments: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "strftime" => {
                let (format,): (&str,) = from_args(arguments)?;
                self.formatted(format).map(Value::from)
            }
            "isoformat" => {
                let shown = if self.day_only { self.to_string() } else { self.to_string().replace(' ', "T") };
                Ok(Value::from(shown))
            }
            #[expect(clippy::cast_precision_loss, reason = "Python's timestamps are floats too")]
            "timestamp" => Ok(Value::from(self.micros as f64 / 1e6)),
            "date" => Ok(Value::from_object(Self { day_only: true, ..**self })),
            _ => Err(Error::new(ErrorKind::UnknownMethod, format!("a date has no method `{method}`"))),
        }
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        Some(self.micros.cmp(&other.downcast_ref::<Self>()?.micros))
    }

    fn render(self: &Arc<Self>, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, formatter)
    }
}
