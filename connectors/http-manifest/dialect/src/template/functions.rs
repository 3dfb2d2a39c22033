//! The functions that templates may call.

use minijinja::{
    Environment, Error, State, Value,
    value::{Kwargs, Rest, ValueKind},
};

use super::{
    moment::{Moment, failed},
    scope::NOW,
};
use crate::time;

/// Functions of the dialect.
const OURS: [&str; 9] = [
    "day_delta",
    "duration",
    "format_datetime",
    "max",
    "min",
    "now_utc",
    "str_to_datetime",
    "timestamp",
    "today_utc",
];

/// Functions of the language itself.
const BUILT_IN: [&str; 3] = ["dict", "namespace", "range"];

pub(super) fn is_known(name: &str) -> bool {
    OURS.contains(&name) || BUILT_IN.contains(&name)
}

pub(super) fn all() -> impl Iterator<Item = &'static str> {
    OURS.into_iter()
}

pub(super) fn add(environment: &mut Environment<'static>) {
    environment.add_function("now_utc", |state: &State<'_, '_>| Moment::value(now(state)));
    environment.add_function("today_utc", |state: &State<'_, '_>| {
        Value::from_object(Moment { micros: now(state), day_only: true })
    });
    environment.add_function("timestamp", timestamp);
    environment
        .add_function("str_to_datetime", |text: &str| moment(&Value::from(text)).map(Value::from_object));
    environment.add_function("day_delta", day_delta);
    environment.add_function("format_datetime", format_datetime);
    // By itself it is only ever compared or shown; sums with it are filters (`arithmetic`).
    environment.add_function("duration", |text: &str| {
        time::Duration::parse(text).map(|_| text.to_owned()).map_err(failed)
    });
    environment.add_filter("plus_duration", |value: Value, text: &str| moved(&value, text, false));
    environment.add_filter("minus_duration", |value: Value, text: &str| moved(&value, text, true));
    environment.add_function("max", |values: Rest<Value>| extreme(&values, |new, best| new > best));
    environment.add_function("min", |values: Rest<Value>| extreme(&values, |new, best| new < best));
}

/// Microseconds since 1970; the beginning of 1970 where no time was given.
fn now(state: &State<'_, '_>) -> i64 {
    state.lookup(NOW).and_then(|value| value.as_i64()).unwrap_or(0)
}

/// A moment, or a text that spells one.
fn moment(value: &Value) -> Result<Moment, Error> {
    if let Some(moment) = value.downcast_object_ref::<Moment>() {
        return Ok(*moment);
    }
    if let Some(seconds) = value.as_i64() {
        return Ok(Moment { micros: seconds.saturating_mul(1_000_000), day_only: false });
    }
    let text = value.as_str().ok_or_else(|| failed(format!("`{value}` is no date")))?;
    let micros = time::parse_iso(text).map_err(failed)?;
    Ok(Moment { micros, day_only: false })
}

fn timestamp(value: &Value) -> Result<i64, Error> {
    if value.kind() == ValueKind::Number {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a fraction of a second is cut off, as the dialect does"
        )]
        let seconds = f64::try_from(value.clone())? as i64;
        return Ok(seconds);
    }
    Ok(moment(value)?.micros.div_euclid(1_000_000))
}

fn day_delta(state: &State<'_, '_>, days: i64, format: Option<&str>, named: Kwargs) -> Result<String, Error> {
    let named_format: Option<&str> = named.get("format")?;
    named.assert_all_used()?;
    let day = time::Duration::parse("P1D").map_err(failed)?;
    let micros = day.times(days).after(now(state)).map_err(failed)?;
    let format = format.or(named_format).unwrap_or("%Y-%m-%dT%H:%M:%S.%f%z");
    time::format(micros, format).map_err(failed)
}

fn format_datetime(
    value: Value,
    format: &str,
    input_format: Option<&str>,
    named: Kwargs,
) -> Result<String, Error> {
    let named_format: Option<&str> = named.get("input_format")?;
    named.assert_all_used()?;
    let micros = match (value.as_str(), input_format.or(named_format)) {
        (Some(text), Some(input_format)) => time::parse(text, input_format).map_err(failed)?,
        _ => moment(&value)?.micros,
    };
    time::format(micros, format).map_err(failed)
}

fn moved(value: &Value, duration: &str, back: bool) -> Result<Value, Error> {
    let duration = time::Duration::parse(duration).map_err(failed)?;
    let from = moment(value)?.micros;
    let micros = if back { duration.before(from) } else { duration.after(from) };
    micros.map(Moment::value).map_err(failed)
}

fn extreme(values: &[Value], better: impl Fn(&Value, &Value) -> bool) -> Result<Value, Error> {
    let listed: Vec<Value> = match values {
        [only] => only.try_iter()?.collect(),
        several => several.to_vec(),
    };
    let best = listed.into_iter().reduce(|best, new| if better(&new, &best) { new } else { best });
    best.ok_or_else(|| failed("there is no largest or smallest of nothing"))
}
