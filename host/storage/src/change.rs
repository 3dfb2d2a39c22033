//! Changes of one organization that become true together.

use crate::table::{Life, Table};

/// A record as it was read, to expect that nobody has changed it since. Of no use for anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision(pub(crate) Vec<u8>);

/// One thing to do.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Expect { table: Table, key: Vec<u8>, revision: Option<Revision> },
    Put { table: Table, key: Vec<u8>, life: Life, value: Vec<u8> },
    Delete { table: Table, key: Vec<u8> },
}

/// Changes of one organization that become true together, or not at all.
#[derive(Debug, Clone)]
pub struct Change {
    pub(crate) organization: String,
    pub(crate) steps: Vec<Step>,
}

impl Change {
    /// A change of this organization that does nothing yet.
    #[must_use]
    pub fn new(organization: impl Into<String>) -> Self {
        Self { organization: organization.into(), steps: Vec::new() }
    }

    /// The record gets this value and lives so long from now on.
    #[must_use]
    pub fn put(mut self, table: Table, key: impl Into<Vec<u8>>, life: Life, value: Vec<u8>) -> Self {
        self.steps.push(Step::Put { table, key: key.into(), life, value });
        self
    }

    /// The record is gone; one that is not there is fine.
    #[must_use]
    pub fn delete(mut self, table: Table, key: impl Into<Vec<u8>>) -> Self {
        self.steps.push(Step::Delete { table, key: key.into() });
        self
    }

    /// Nothing happens unless the record is as it was read; none: unless it is not there. An expired record is not there.
    #[must_use]
    pub fn expect(mut self, table: Table, key: impl Into<Vec<u8>>, revision: Option<&Revision>) -> Self {
        self.steps.push(Step::Expect { table, key: key.into(), revision: revision.cloned() });
        self
    }
}
