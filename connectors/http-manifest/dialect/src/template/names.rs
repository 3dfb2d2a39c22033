//! Which names a template may use, by the place where it stands.

/// The names of one kind of place.
#[derive(Debug, Clone, Copy)]
pub struct Names(&'static [&'static str]);

impl Names {
    /// Known before anything is read.
    pub const CONFIG: Self = Self(&["config", "parameters"]);
    /// Known when a request is made.
    pub const REQUEST: Self = Self(&[
        "config",
        "parameters",
        "next_page_token",
        "stream_interval",
        "stream_partition",
        "stream_slice",
    ]);
    /// Known when an answer was read and the next page is looked for.
    pub const PAGE: Self = Self(&[
        "config",
        "parameters",
        "response",
        "headers",
        "last_record",
        "last_page_size",
        "stream_interval",
        "stream_partition",
        "stream_slice",
    ]);
    /// Known of an answer that is judged.
    pub const ANSWER: Self = Self(&["config", "parameters", "response", "headers"]);
    /// Known of one record.
    pub const RECORD: Self = Self(&[
        "config",
        "parameters",
        "record",
        "next_page_token",
        "stream_interval",
        "stream_partition",
        "stream_slice",
    ]);
    /// Known of one field of a record.
    pub const PROPERTY: Self = Self(&[
        "config",
        "parameters",
        "property",
        "value",
        "record",
        "stream_interval",
        "stream_partition",
        "stream_slice",
    ]);

    pub(super) fn holds(self, name: &str) -> bool {
        self.0.contains(&name)
    }

    pub(super) fn all(self) -> impl Iterator<Item = &'static str> {
        self.0.iter().copied()
    }

    pub(super) fn listed(self) -> String {
        format!("known here are {}", crate::words::alternatives(self.0).replace(" or ", " and "))
    }
}

/// Whether another place has this name.
pub(super) fn is_known_elsewhere(name: &str) -> bool {
    [Names::REQUEST, Names::PAGE, Names::RECORD, Names::PROPERTY].iter().any(|names| names.holds(name))
}
