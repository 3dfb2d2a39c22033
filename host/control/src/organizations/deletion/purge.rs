//! Removes what the installation keeps of an organization that is no more. Its log stays.

use super::super::Organizations;
use super::super::invitations::digest_of;
use crate::error::Error;
use crate::keeper::{INSTALLATION, decode};
use crate::secret::TokenDigest;
use crate::syncs::{Kept, due_key};
use crate::tables::{
    CONNECTIONS, ENDPOINTS, EVENT_TOKENS, GLASSES, GONE, INSTALLED, INVITATION_TOKENS, INVITATIONS, Key,
    LANES, MEMBERS, MEMBERSHIPS, ORGANIZATION_TOKENS, RUNS, RUNS_TAKEN, RUNS_WAITING, SYNCS, SYNCS_DUE,
    TOKEN_USES, TOKENS, TURNS, ZONES,
};
use storage::{Change, Found, Range, Table};

/// Each is kept under keys that begin with the organization.
const TABLES: [Table; 14] = [
    MEMBERS,
    INVITATIONS,
    GLASSES,
    ZONES,
    ORGANIZATION_TOKENS,
    INSTALLED,
    CONNECTIONS,
    SYNCS,
    RUNS,
    RUNS_WAITING,
    RUNS_TAKEN,
    LANES,
    ENDPOINTS,
    GONE,
];
/// Each may bring others along, an endpoint eight, and a change of storage has 40 steps.
const AT_ONCE: usize = 4;

impl Organizations {
    pub(super) async fn purge(&self, organization: &str) -> Result<(), Error> {
        let prefix = Key::of(organization);
        let mut components = Vec::new();
        for table in TABLES {
            loop {
                let range = Range { prefix: &prefix, after: None, limit: AT_ONCE };
                let page = self.keeper.page(INSTALLATION, table, range).await?;
                if page.is_empty() {
                    break;
                }
                let mut change = Change::new(INSTALLATION);
                for (key, found) in page {
                    let id = Key::read_id(key.get(prefix.len()..).unwrap_or_default());
                    for (other, at) in along(table, organization, &id, &found)? {
                        change = change.delete(other, at);
                    }
                    change = change.delete(table, key);
                    components.extend(Some(id).filter(|_| table == INSTALLED));
                }
                self.keeper.storage.commit(change).await?;
            }
        }
        for digest in components {
            self.remove_unused_component(&digest).await?;
        }
        Ok(())
    }
}

/// What stands elsewhere because of a record, under keys that do not begin with the organization.
fn along(table: Table, organization: &str, id: &str, found: &Found) -> Result<Vec<(Table, Vec<u8>)>, Error> {
    let value = found.value.expose();
    let key = |key: Key| -> Vec<u8> { key.into() };
    Ok(match table {
        MEMBERS => vec![(MEMBERSHIPS, key(Key::of(id).id(organization)))],
        INVITATIONS => vec![(INVITATION_TOKENS, digest_of(value)?.bytes().to_vec())],
        ORGANIZATION_TOKENS => {
            let digest: TokenDigest = decode(table, value)?;
            vec![(TOKENS, digest.bytes().to_vec()), (TOKEN_USES, key(Key::of(id)))]
        }
        SYNCS => {
            let head: crate::filed::Head<Kept> = decode(table, value)?;
            let due = head.more.due_ms.map(|due_ms| (SYNCS_DUE, key(due_key(due_ms, organization, id))));
            due.into_iter().collect()
        }
        ENDPOINTS => {
            let digests = crate::endpoints::digests_of(value)?;
            digests.into_iter().map(|digest| (EVENT_TOKENS, digest.bytes().to_vec())).collect()
        }
        LANES => {
            let turn = crate::queue::turn_of(value)?;
            vec![(TURNS, key(Key::default().number(turn).id(organization)))]
        }
        _ => Vec::new(),
    })
}
