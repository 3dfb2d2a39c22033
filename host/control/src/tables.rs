//! What is kept, in which class, and under which keys. Keys hold ids and numbers; never a name, an address or a secret.

use storage::Table;
use vault::Class;

const fn table(name: &'static str, class: Class) -> Table {
    Table { name, class, schema_version: 1 }
}

/// `log`: how many entries it has, and the roots of the tree's perfect parts.
pub(crate) const AUDIT_HEADS: Table = table("audit_heads", Class::Metadata);
/// `log | number`: an entry, byte for byte as it was hashed.
pub(crate) const AUDIT_ENTRIES: Table = table("audit_entries", Class::Metadata);
/// `log | level | number`: the hash of a perfect part of the tree that is larger than one entry.
pub(crate) const AUDIT_NODES: Table = table("audit_nodes", Class::Metadata);
/// One record: the seed of the key that signs checkpoints.
pub(crate) const AUDIT_SIGNER: Table = table("audit_signer", Class::Credentials);
/// `person`, in the organization whose log it is: the key of this person's fields in the log.
pub(crate) const AUDIT_PERSONS: Table = table("audit_persons", Class::Credentials);

/// `user`: address of e-mail, since when it is known.
pub(crate) const USERS: Table = table("users", Class::Metadata);
/// `keyed hash of an address of e-mail`: whose it is.
pub(crate) const EMAILS: Table = table("user_emails", Class::Metadata);
/// `user`: hash of the password.
pub(crate) const PASSWORDS: Table = table("user_passwords", Class::Credentials);
/// `user`: whether a second factor is asked for, and which codes are spent.
pub(crate) const SECOND_FACTORS: Table = table("user_second_factors", Class::Credentials);
/// `user`: the secret that the authenticator has too.
pub(crate) const TOTP_SECRETS: Table = table("user_totp_secrets", Class::Credentials);
/// One record: the digest of the token that makes the first operator.
pub(crate) const SETUP: Table = table("setup", Class::Credentials);

/// `invitation`: for which address somebody is to run the installation, until when.
pub(crate) const OPERATOR_INVITATIONS: Table = table("operator_invitations", Class::Metadata);
/// `digest of the token`: which of these it is of.
pub(crate) const OPERATOR_INVITATION_TOKENS: Table = table("operator_invitation_tokens", Class::Credentials);

/// `organization`: name, region, how many members and admins.
pub(crate) const ORGANIZATIONS: Table = table("organizations", Class::Metadata);
/// `organization`: who wants it deleted, and since when.
pub(crate) const DELETIONS: Table = table("deletions", Class::Metadata);
/// `organization`: nothing more; it is deleted, and nothing comes to be of it any more.
pub(crate) const CONDEMNED: Table = table("condemned", Class::Metadata);
/// `organization`: the certificate of its deletion.
pub(crate) const TOMBSTONES: Table = table("tombstones", Class::Metadata);
/// `organization | user`: role.
pub(crate) const MEMBERS: Table = table("members", Class::Metadata);
/// `user | organization`: nothing more; the same the other way round.
pub(crate) const MEMBERSHIPS: Table = table("memberships", Class::Metadata);
/// `organization | invitation`: for which address, in which role, until when.
pub(crate) const INVITATIONS: Table = table("invitations", Class::Metadata);
/// `digest of the token`: which invitation it is of.
pub(crate) const INVITATION_TOKENS: Table = table("invitation_tokens", Class::Credentials);
/// `organization | glass`: who may look at what, until when.
pub(crate) const GLASSES: Table = table("break_glass", Class::Metadata);
/// `organization`: from where it is reached.
pub(crate) const ZONES: Table = table("zones", Class::Metadata);
/// `digest of the token`: whose session it is, and since when.
pub(crate) const SESSIONS: Table = table("sessions", Class::Credentials);
/// `user | session`: the digest of its token.
pub(crate) const USER_SESSIONS: Table = table("user_sessions", Class::Credentials);
/// `digest of the token`: whose it is, and what it may be used for.
pub(crate) const TOKENS: Table = table("api_tokens", Class::Credentials);
/// `organization | token`: the digest of the token.
pub(crate) const ORGANIZATION_TOKENS: Table = table("organization_api_tokens", Class::Credentials);
/// `token`: when it was used last.
pub(crate) const TOKEN_USES: Table = table("api_token_uses", Class::Metadata);

/// `digest`: that a component is kept, and how often it was installed since.
pub(crate) const COMPONENTS: Table = table("components", Class::Metadata);
/// `digest`: its bytes.
pub(crate) const COMPONENT_BYTES: Table = table("component_bytes", Class::Metadata);
/// `organization | digest`: which connectors are installed.
pub(crate) const INSTALLED: Table = table("installed_connectors", Class::Metadata);
/// `digest | body`, in the organization: the manifest.
pub(crate) const INSTALLED_BODIES: Table = table("installed_connector_bodies", Class::Metadata);
/// `organization | connection`: name, connector, revision.
pub(crate) const CONNECTIONS: Table = table("connections", Class::Metadata);
/// `connection | body`, in the organization: configuration, consent, which credentials there are.
pub(crate) const CONNECTION_BODIES: Table = table("connection_bodies", Class::Metadata);
/// `connection`, in the organization: names and types of what its system has.
pub(crate) const CATALOGS: Table = table("catalogs", Class::Metadata);
/// `organization | sync`: name, state, which run it has.
pub(crate) const SYNCS: Table = table("syncs", Class::Metadata);
/// `sync | body`, in the organization: what it does.
pub(crate) const SYNC_BODIES: Table = table("sync_bodies", Class::Metadata);
/// `when | organization | sync`: when the schedule of a sync is to be looked at.
pub(crate) const SYNCS_DUE: Table = table("syncs_due", Class::Metadata);
/// `organization | run`: runs that wait or are under way.
pub(crate) const RUNS: Table = table("queued_runs", Class::Metadata);
/// `organization | when | run`: runs that wait, and from when on they may begin.
pub(crate) const RUNS_WAITING: Table = table("waiting_runs", Class::Metadata);
/// `organization | run`: runs that are under way.
pub(crate) const RUNS_TAKEN: Table = table("taken_runs", Class::Metadata);
/// `organization`: how many of its runs wait and are under way, and when it has its turn.
pub(crate) const LANES: Table = table("queue_lanes", Class::Metadata);
/// `turn | organization`: organizations of which runs wait.
pub(crate) const TURNS: Table = table("queue_turns", Class::Metadata);
/// `organization | sync`: which tokens its event endpoint has.
pub(crate) const ENDPOINTS: Table = table("event_endpoints", Class::Metadata);
/// `digest of the token`: of which event endpoint it is.
pub(crate) const EVENT_TOKENS: Table = table("event_tokens", Class::Credentials);
/// `sync`, in the organization: the keys by which senders sign.
pub(crate) const ENDPOINT_SECRETS: Table = table("event_endpoint_secrets", Class::Credentials);
/// `sync`, in the organization: up to where its messages are numbered.
pub(crate) const EVENT_HEADS: Table = table("event_heads", Class::Metadata);
/// `sync | number of the first`, in the organization: messages that were accepted together.
pub(crate) const EVENT_MESSAGES: Table = table("event_messages", Class::Rows);
/// `sync | hash of an id`, in the organization: the number of the message that had it.
pub(crate) const EVENT_SEEN: Table = table("event_ids", Class::Metadata);
/// `organization | body table | id`: things that are gone and of which something is still to be erased, here or by others.
pub(crate) const GONE: Table = table("gone", Class::Metadata);
/// `digest of who asks and of their key`: which request it is, and what was answered.
pub(crate) const ANSWERS: Table = table("answers", Class::Credentials);

/// Builds a key of parts, none of which can be taken for another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Key(Vec<u8>);

impl Key {
    /// An id. Ids are drawn here and short; one that is not stands by nothing else and finds nothing.
    pub(crate) fn of(id: &str) -> Self {
        Self::default().id(id)
    }

    pub(crate) fn id(mut self, id: &str) -> Self {
        self.0.extend_from_slice(&u32::try_from(id.len()).unwrap_or(u32::MAX).to_be_bytes());
        self.0.extend_from_slice(id.as_bytes());
        self
    }

    /// The id that a key, or what is left of one, begins with.
    pub(crate) fn read_id(key: &[u8]) -> String {
        let split = key.split_first_chunk();
        let id =
            split.and_then(|(length, rest)| rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?));
        String::from_utf8_lossy(id.unwrap_or_default()).into_owned()
    }

    /// The ids that a key is made of.
    pub(crate) fn read_ids<const COUNT: usize>(mut key: &[u8]) -> [String; COUNT] {
        std::array::from_fn(|_| {
            let id = Self::read_id(key);
            key = key.get(size_of::<u32>() + id.len()..).unwrap_or_default();
            id
        })
    }

    /// In the order of numbers.
    pub(crate) fn number(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    pub(crate) fn byte(mut self, byte: u8) -> Self {
        self.0.push(byte);
        self
    }
}

impl std::ops::Deref for Key {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Key> for Vec<u8> {
    fn from(key: Key) -> Self {
        key.0
    }
}

/// Every table but those of the logs, for tests that look for what is left of somebody.
#[cfg(test)]
pub(crate) const ALL: &[Table] = &[
    USERS,
    EMAILS,
    PASSWORDS,
    SECOND_FACTORS,
    TOTP_SECRETS,
    SETUP,
    OPERATOR_INVITATIONS,
    OPERATOR_INVITATION_TOKENS,
    ORGANIZATIONS,
    DELETIONS,
    CONDEMNED,
    TOMBSTONES,
    MEMBERS,
    MEMBERSHIPS,
    INVITATIONS,
    INVITATION_TOKENS,
    GLASSES,
    ZONES,
    SESSIONS,
    USER_SESSIONS,
    TOKENS,
    ORGANIZATION_TOKENS,
    TOKEN_USES,
    COMPONENTS,
    COMPONENT_BYTES,
    INSTALLED,
    INSTALLED_BODIES,
    CONNECTIONS,
    CONNECTION_BODIES,
    CATALOGS,
    SYNCS,
    SYNC_BODIES,
    SYNCS_DUE,
    RUNS,
    RUNS_WAITING,
    RUNS_TAKEN,
    LANES,
    TURNS,
    ENDPOINTS,
    EVENT_TOKENS,
    ENDPOINT_SECRETS,
    EVENT_HEADS,
    EVENT_MESSAGES,
    EVENT_SEEN,
    GONE,
    ANSWERS,
];
