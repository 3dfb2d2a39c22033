//! Faults of the configuration, collected, and the words that help to mend them.

use cofferdam_sdk::{Error, FieldFault, Result};

/// Names that a message lists; more would bury it.
const LISTED_MAX: usize = 20;

/// The faults found so far.
#[derive(Debug, Default)]
pub(crate) struct Faults(Vec<FieldFault>);

impl Faults {
    /// Note one at this JSON Pointer, unless it stands there already: two streams may have the same one.
    pub(crate) fn push(&mut self, path: impl Into<String>, message: impl Into<String>) {
        let fault = FieldFault { path: path.into(), message: message.into() };
        if !self.0.contains(&fault) {
            self.0.push(fault);
        }
    }

    pub(crate) fn extend(&mut self, others: Self) {
        others.0.into_iter().for_each(|fault| self.push(fault.path, fault.message));
    }

    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// The value, unless a fault was found.
    pub(crate) fn or<T>(self, value: T) -> Result<T> {
        if self.0.is_empty() { Ok(value) } else { Err(Error::Config(self.0)) }
    }
}

/// A key as a part of a JSON Pointer.
pub(crate) fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}

/// What to say of a name that is not among those known: the one that was probably meant, or all of them.
pub(crate) fn unknown<'k>(
    what: &str,
    name: &str,
    known: impl IntoIterator<Item = &'k str> + Clone,
) -> String {
    if let Some(close) = closest(name, known.clone()) {
        return format!("there is no {what} `{name}`; did you mean `{close}`?");
    }
    let mut names: Vec<String> = known.into_iter().map(|name| format!("`{name}`")).collect();
    let more = names.len().saturating_sub(LISTED_MAX);
    names.truncate(LISTED_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("there is no {what} `{name}`; there are {}{more}", names.join(", "))
}

/// The known name that is close to this one.
pub(crate) fn closest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let folded = name.to_lowercase();
    let tolerated = (name.chars().count() / 3).max(1);
    let distance = |known: &str| strsim::damerau_levenshtein(&folded, &known.to_lowercase());
    let near = known.into_iter().map(|known| (distance(known), known));
    near.filter(|(distance, _)| *distance <= tolerated)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
}
