//! Changes of one organization that become true together.

use zeroize::Zeroizing;

use crate::lease::Lease;
use crate::table::{Life, Table};

/// So many puts and deletes of one change always fit into a batch of an engine, whatever they replace.
pub const CHANGE_STEPS_MAX: usize = 40;
/// So many bytes of values and expected revisions too. Values that go into chunks count for nothing.
pub const CHANGE_BYTES_MAX: usize = 768 << 10;

/// A record as it was read, to expect that nobody has changed it since. Of no use for anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revision(pub(crate) Vec<u8>);

/// One thing to do.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Expect { table: Table, key: Vec<u8>, revision: Option<Revision> },
    Put { table: Table, key: Vec<u8>, life: Life, value: Zeroizing<Vec<u8>> },
    Delete { table: Table, key: Vec<u8>, erases: bool },
}

/// Changes of one organization that become true together, or not at all.
#[derive(Debug, Clone)]
pub struct Change {
    pub(crate) organization: String,
    pub(crate) steps: Vec<Step>,
    pub(crate) fence: Option<Fence>,
}

/// Which token must be the newest of its lease.
#[derive(Debug, Clone)]
pub(crate) struct Fence {
    pub(crate) name: String,
    pub(crate) token: u64,
}

impl Change {
    /// A change of this organization that does nothing yet.
    #[must_use]
    pub fn new(organization: impl Into<String>) -> Self {
        Self { organization: organization.into(), steps: Vec::new(), fence: None }
    }

    /// The record gets this value and lives so long from now on. Of several steps on one record the last one counts. The
    /// value is wiped when the change is dropped.
    #[must_use]
    pub fn put(mut self, table: Table, key: impl Into<Vec<u8>>, life: Life, value: Vec<u8>) -> Self {
        self.steps.push(Step::Put { table, key: key.into(), life, value: Zeroizing::new(value) });
        self
    }

    /// The record is gone at once for every reader; one that is not there is fine. Its bytes become unreadable within 24
    /// hours, when what remains of its organization is sealed anew: see [`Storage::erase_now`](crate::Storage::erase_now).
    #[must_use]
    pub fn delete(mut self, table: Table, key: impl Into<Vec<u8>>) -> Self {
        self.steps.push(Step::Delete { table, key: key.into(), erases: true });
        self
    }

    /// The record is gone at once for every reader; one that is not there is fine. Its bytes stay what they are until it
    /// would have ended: for housekeeping, which nobody asked for and which must not have everything sealed anew.
    #[must_use]
    pub fn discard(mut self, table: Table, key: impl Into<Vec<u8>>) -> Self {
        self.steps.push(Step::Delete { table, key: key.into(), erases: false });
        self
    }

    /// Nothing happens unless the record is as it was read; none: unless it is not there. An expired record is not there.
    #[must_use]
    pub fn expect(mut self, table: Table, key: impl Into<Vec<u8>>, revision: Option<&Revision>) -> Self {
        self.steps.push(Step::Expect { table, key: key.into(), revision: revision.cloned() });
        self
    }

    /// Nothing happens unless the lease is still the newest of its name: who was thought dead and is not, changes nothing.
    #[must_use]
    pub fn fenced_by(mut self, lease: &Lease) -> Self {
        self.fence = Some(Fence { name: lease.name.clone(), token: lease.token });
        self
    }
}
