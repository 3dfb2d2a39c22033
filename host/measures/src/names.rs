//! Names that are told apart, up to a number. They come from places that have few of them (the router, the table of errors); that
//! it stays so whoever calls is seen to here.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};

/// What all names beyond the number are called together.
const OTHER: &str = "other";

#[derive(Debug)]
pub(crate) struct Names {
    known: RwLock<HashSet<Arc<str>>>,
    names_max: usize,
    other: Arc<str>,
}

impl Names {
    pub(crate) fn new(names_max: usize) -> Self {
        Self { known: RwLock::default(), names_max, other: OTHER.into() }
    }

    /// The name by which it is counted.
    pub(crate) fn of(&self, name: &str) -> Arc<str> {
        if let Some(known) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Arc::clone(known);
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(name) {
            return Arc::clone(known);
        }
        if known.len() >= self.names_max {
            return Arc::clone(&self.other);
        }
        let name: Arc<str> = name.into();
        known.insert(Arc::clone(&name));
        name
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn beyond_so_many_names_all_have_one() {
        let names = Names::new(2);
        let said = ["a", "b", "c", "a", "d", "b"].map(|name| names.of(name).to_string());
        assert_eq!(said, ["a", "b", "other", "a", "other", "b"]);
    }
}
