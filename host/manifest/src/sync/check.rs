//! Faults of the parts of a sync that did not come from a document: the same bounds as for one.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use super::options::{ATTEMPTS_MAX, COMMIT_BYTES_MAX, COMMIT_EVERY_MS_MAX, PARALLEL_GROUPS_MAX};
use super::streams::NAME_CHARS_MAX;
use super::{Comparison, Rejects, RunOptions, StreamSelection};
use crate::config::ConfigFault;
use crate::text::{is_plain, quoted};

impl RunOptions {
    /// What is out of bounds, under the names of the fields.
    #[must_use]
    pub fn faults(&self) -> Vec<ConfigFault> {
        let Self { parallel_groups, attempts, commit_bytes, commit_every_ms } = self;
        let within = |name: &str, value: u64, bounds: RangeInclusive<u64>| {
            let (least, most) = (bounds.start(), bounds.end());
            let message = format!("must be from {least} to {most}");
            (!bounds.contains(&value)).then(|| ConfigFault::new(format!("/{name}"), message))
        };
        let faults = [
            within("parallel_groups", u64::from(*parallel_groups), 1..=PARALLEL_GROUPS_MAX),
            within("attempts", u64::from(*attempts), 1..=ATTEMPTS_MAX),
            within("commit_bytes", *commit_bytes, 1..=COMMIT_BYTES_MAX),
            within("commit_every_ms", *commit_every_ms, 1..=COMMIT_EVERY_MS_MAX),
        ];
        faults.into_iter().flatten().collect()
    }
}

impl Rejects {
    /// What is out of bounds, under the names of the fields.
    #[must_use]
    pub fn faults(&self) -> Vec<ConfigFault> {
        let is_wrong = self.max_rate.is_some_and(|rate| !(0.0..=1.0).contains(&rate));
        let message = "must be a number from 0 to 1";
        is_wrong.then(|| ConfigFault::new("/max_rate", message)).into_iter().collect()
    }
}

impl StreamSelection {
    /// What is wrong with the streams of a sync, under their numbers.
    #[must_use]
    pub fn faults(streams: &[Self]) -> Vec<ConfigFault> {
        let mut faults = Vec::new();
        if streams.is_empty() {
            faults.push(ConfigFault::new("", "names no stream; leave it out to move every stream"));
        }
        let mut names = BTreeSet::new();
        for (index, stream) in streams.iter().enumerate() {
            named(&mut faults, format!("/{index}/name"), "stream", &stream.name, &mut names);
            stream.check_fields(&mut faults, index);
            for (number, condition) in stream.filter.iter().enumerate() {
                let at = format!("/{index}/filter/{number}");
                let mut any = BTreeSet::new();
                named(&mut faults, format!("{at}/field"), "field", &condition.field, &mut any);
                let is_null = matches!(condition.comparison, Comparison::IsNull | Comparison::IsNotNull);
                if is_null && !condition.value.is_null() {
                    let message = "a comparison with null has no value";
                    faults.push(ConfigFault::new(format!("{at}/value"), message));
                }
            }
        }
        faults
    }

    fn check_fields(&self, faults: &mut Vec<ConfigFault>, index: usize) {
        let Some(fields) = &self.fields else { return };
        if fields.is_empty() {
            let message = "names no field; leave it out to move every field";
            faults.push(ConfigFault::new(format!("/{index}/fields"), message));
        }
        let mut names = BTreeSet::new();
        for (number, field) in fields.iter().enumerate() {
            named(faults, format!("/{index}/fields/{number}"), "field", field, &mut names);
        }
    }
}

fn named<'n>(
    faults: &mut Vec<ConfigFault>,
    at: String,
    what: &str,
    name: &'n str,
    seen: &mut BTreeSet<&'n str>,
) {
    if !(1..=NAME_CHARS_MAX).contains(&name.chars().count()) || !name.chars().all(is_plain) {
        let message = format!("must be a line of 1 to {NAME_CHARS_MAX} characters");
        faults.push(ConfigFault::new(at, message));
    } else if !seen.insert(name) {
        faults.push(ConfigFault::new(at, format!("the {what} {} is named twice", quoted(name))));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{Rejects, RunOptions, StreamSelection};

    fn stream(changed: &Value) -> Value {
        let mut stream =
            json!({"name": "orders", "mode": "append", "fields": null, "filter": [], "limit": null});
        for (key, value) in changed.as_object().unwrap() {
            stream[key] = value.clone();
        }
        stream
    }

    fn check_streams(streams: &Value, expected: &[&str]) {
        let read: Vec<StreamSelection> = serde_json::from_value(streams.clone()).unwrap();
        let faults = StreamSelection::faults(&read);
        let told: Vec<String> =
            faults.iter().map(|fault| format!("{}: {}", fault.path, fault.message)).collect();
        assert_eq!(told, expected, "{streams}");
    }

    #[test]
    fn streams_that_no_document_could_have_are_told_at_their_places() {
        let condition = json!({"field": "", "comparison": "is-null", "value": 1});
        check_streams(&json!([stream(&json!({})), stream(&json!({"name": "lines", "fields": ["a"]}))]), &[]);
        check_streams(&json!([]), &[": names no stream; leave it out to move every stream"]);
        check_streams(
            &json!([
                stream(&json!({"fields": [], "filter": [condition]})),
                stream(&json!({"fields": ["a", "a", "b\n"]})),
            ]),
            &[
                "/0/fields: names no field; leave it out to move every field",
                "/0/filter/0/field: must be a line of 1 to 255 characters",
                "/0/filter/0/value: a comparison with null has no value",
                "/1/name: the stream `orders` is named twice",
                "/1/fields/1: the field `a` is named twice",
                "/1/fields/2: must be a line of 1 to 255 characters",
            ],
        );
    }

    #[test]
    fn options_have_the_bounds_that_documents_have() {
        assert_eq!(RunOptions::default().faults(), []);
        let wrong =
            RunOptions { parallel_groups: 0, attempts: 101, commit_bytes: 1 << 30, commit_every_ms: 0 };
        let places: Vec<String> = wrong.faults().into_iter().map(|fault| fault.path).collect();
        assert_eq!(places, ["/parallel_groups", "/attempts", "/commit_bytes", "/commit_every_ms"]);
        for (rate, faults) in [(0.0, 0), (1.0, 0), (1.1, 1), (-0.1, 1), (f64::NAN, 1)] {
            let rejects = Rejects { max_rate: Some(rate), ..Rejects::default() };
            assert_eq!(rejects.faults().len(), faults, "{rate}");
        }
    }
}
