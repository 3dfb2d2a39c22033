//! A cursor over a date with the configuration's values in it: where a run begins and ends, and its slices.

use cofferdam_sdk::{Error, Result};
use http_manifest_dialect::{
    Cursor, Datetime, RequestOption,
    template::{Scope, Template},
    time::{self, Duration},
};
use serde_json::{Map, Value, json};

use crate::{call, failure};

/// A cursor with the configuration's values in it.
pub(crate) struct Progress<'m> {
    cursor: &'m Cursor,
    /// The field of records with their date.
    pub(crate) field: String,
    /// Where the first run begins.
    start: i64,
    /// Where this run ends.
    pub(crate) end: i64,
    /// Where no run may go beyond.
    pub(crate) last: Option<i64>,
    step: Option<Duration>,
    lookback: Option<Duration>,
    start_name: String,
    end_name: String,
}

/// A part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slice {
    pub(crate) start: i64,
    pub(crate) end: i64,
    /// Where the next one begins.
    pub(crate) next: Option<i64>,
}

impl<'m> Progress<'m> {
    pub(crate) fn new(cursor: &'m Cursor, scope: &Scope, now: i64) -> Result<Self> {
        let last = cursor.end.as_ref().map(|end| moment(cursor, end, "end_datetime", scope)).transpose()?;
        let step = duration(cursor.step.as_ref(), "step", scope)?;
        if step.is_some_and(Duration::is_zero) {
            return Err(Error::config("", "`step` lasts no time at all"));
        }
        Ok(Self {
            cursor,
            field: call::text(&cursor.field, scope)?,
            start: moment(cursor, &cursor.start, "start_datetime", scope)?,
            end: last.map_or(now, |last| last.min(now)),
            last,
            step,
            lookback: duration(cursor.lookback.as_ref(), "lookback_window", scope)?,
            start_name: call::text(&cursor.start_name, scope)?,
            end_name: call::text(&cursor.end_name, scope)?,
        })
    }

    /// Where a run begins after earlier ones have come up to here: at the cursor, less the window to look back, as far
    /// as the format of requests can say it. What is at or after it may come again.
    pub(crate) fn begin(&self, reached: Option<i64>) -> Result<i64> {
        let earliest = self.start.min(self.end);
        let Some(reached) = reached else { return Ok(earliest) };
        let back = self.lookback.map(|lookback| lookback.before(reached)).transpose();
        let begin = back.map_err(|error| failure::time("lookback_window", &error))?.unwrap_or(reached);
        let written = self.written(begin.max(earliest))?;
        Ok(time::parse(&written, &self.cursor.request_format).unwrap_or(begin))
    }

    /// The slice that begins here; none when the run is at its end.
    pub(crate) fn slice(&self, start: i64, until: i64) -> Result<Option<Slice>> {
        if !self.is_within(start, until) {
            return Ok(None);
        }
        let Some(step) = self.step else { return Ok(Some(Slice { start, end: until, next: None })) };
        // A step out of the calendar leads to the end too.
        let Ok(next) = step.after(start) else { return Ok(Some(Slice { start, end: until, next: None })) };
        let before = self.cursor.granularity.map(|granularity| granularity.before(next)).transpose();
        let end = before.map_err(|error| failure::time("cursor_granularity", &error))?.unwrap_or(next);
        let next = Some(next).filter(|next| self.is_within(*next, until));
        Ok(Some(Slice { start, end: end.min(until), next }))
    }

    fn is_within(&self, start: i64, until: i64) -> bool {
        if self.cursor.is_compare_strictly { start < until } else { start <= until }
    }

    /// The slice as templates see it.
    pub(crate) fn interval(&self, slice: Slice) -> Result<Value> {
        let (start, end) = (self.written(slice.start)?, self.written(slice.end)?);
        Ok(json!({ &*self.start_name: start, &*self.end_name: end }))
    }

    /// What is put into requests for a slice.
    pub(crate) fn injected(&self, slice: Slice) -> Result<Vec<(&'m RequestOption, Value)>> {
        let mut values = Vec::new();
        for (option, micros) in
            [(&self.cursor.start_option, slice.start), (&self.cursor.end_option, slice.end)]
        {
            if let Some(option) = option {
                values.push((option, Value::String(self.written(micros)?)));
            }
        }
        Ok(values)
    }

    /// The date of a record; none where there is none that can be read.
    pub(crate) fn of_record(&self, record: &Map<String, Value>) -> Option<i64> {
        let text = match record.get(&self.field)? {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        time::parse_any(&text, &self.cursor.record_formats).ok()
    }

    /// Whether records before this run's beginning are to be left out here.
    pub(crate) fn leaves_out(&self) -> bool {
        self.cursor.is_client_side || self.cursor.is_data_feed
    }

    /// Whether pages come from the newest to the oldest.
    pub(crate) fn is_data_feed(&self) -> bool {
        self.cursor.is_data_feed
    }

    fn written(&self, micros: i64) -> Result<String> {
        time::format(micros, &self.cursor.request_format)
            .map_err(|error| failure::time("datetime_format", &error))
    }
}

fn moment(cursor: &Cursor, datetime: &Datetime, what: &str, scope: &Scope) -> Result<i64> {
    let mut formats = vec![datetime.format.clone().unwrap_or_else(|| cursor.request_format.clone())];
    formats.extend(cursor.record_formats.iter().cloned());
    let read = |template: &Template| -> Result<i64> {
        let text = call::text(template, scope)?;
        if text.is_empty() {
            let message = format!("{what}: the template `{}` gives nothing", template.source());
            return Err(Error::config("", message));
        }
        time::parse_any(&text, &formats).map_err(|error| failure::time(what, &error))
    };
    let mut micros = read(&datetime.value)?;
    if let Some(earliest) = &datetime.earliest {
        micros = micros.max(read(earliest)?);
    }
    if let Some(latest) = &datetime.latest {
        micros = micros.min(read(latest)?);
    }
    Ok(micros)
}

fn duration(template: Option<&Template>, what: &str, scope: &Scope) -> Result<Option<Duration>> {
    let Some(template) = template else { return Ok(None) };
    let text = call::text(template, scope)?;
    Duration::parse(&text).map(Some).map_err(|error| failure::time(what, &error))
}
