//! What an entry of a log says, and how it becomes the bytes that are hashed.
//!
//! An entry is one line of JSON. It holds ids and words of ours; what tells who somebody is (names, addresses) is sealed
//! before the entry is hashed. Each names the hash of the one before it, so that a change is found at its place: the
//! tree alone only says that something is wrong.

use super::tree::Hash;
use crate::error::Error;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;

/// Longer ones are no entries but data, and data have no business here.
const ENTRY_BYTES_MAX: usize = 16 << 10;

/// What was done. What is not in this list cannot be put into a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Act {
    /// An operator of an installation was made: the first one, or one who was invited.
    OperatorCreated,
    /// Somebody was invited to run the installation.
    OperatorInvited,
    /// Somebody runs the installation no more.
    OperatorRemoved,
    /// A person was made known.
    UserCreated,
    /// A person and all that is personal of it was removed.
    UserDeleted,
    /// Somebody came in.
    LoggedIn,
    /// Somebody did not come in.
    LoginRefused,
    /// A password was set anew.
    PasswordChanged,
    /// A second factor was set up.
    SecondFactorEnabled,
    /// A second factor was taken away.
    SecondFactorDisabled,
    /// A session was ended by somebody.
    SessionRevoked,
    /// A token of the API was made.
    TokenCreated,
    /// A token of the API was revoked.
    TokenRevoked,
    /// An organization was made.
    OrganizationCreated,
    /// An organization's name was changed.
    OrganizationRenamed,
    /// An admin asked for an organization to be deleted.
    DeletionRequested,
    /// That wish was taken back.
    DeletionWithdrawn,
    /// An admin has it carried out.
    DeletionConfirmed,
    /// An organization was deleted and its keys destroyed.
    OrganizationShredded,
    /// Somebody was invited.
    MemberInvited,
    /// An invitation was taken back.
    InvitationRevoked,
    /// Somebody took up an invitation.
    MemberJoined,
    /// A member's role was changed.
    RoleChanged,
    /// A member left or was removed.
    MemberRemoved,
    /// An operator asked to look into an organization.
    BreakGlassRequested,
    /// An admin of the organization allowed it.
    BreakGlassApproved,
    /// Something was looked at by that.
    BreakGlassUsed,
    /// It was ended before its time.
    BreakGlassEnded,
    /// Rights were granted to a connector.
    ConsentGranted,
    /// Rights were taken from a connector.
    ConsentRevoked,
    /// A person used a credential.
    CredentialUsed,
    /// A key was drawn, rotated or destroyed.
    KeyUsed,
    /// Something was refused for want of rights.
    Denied,
    /// IP ranges were changed.
    ZonesChanged,
    /// A schedule was changed.
    ScheduleChanged,
    /// A connector was installed in an organization.
    ConnectorInstalled,
    /// A connector was taken out of an organization.
    ConnectorRemoved,
    /// A connector took too many workers with it, and gets no more.
    ConnectorQuarantined,
    /// A connector that was quarantined may run again.
    ConnectorReleased,
    /// A connection was made.
    ConnectionCreated,
    /// A connection's configuration was changed.
    ConnectionChanged,
    /// A connection was deleted.
    ConnectionDeleted,
    /// A credential of a connection was entered.
    CredentialEntered,
    /// A credential of a connection was revoked.
    CredentialRevoked,
    /// A sync was made.
    SyncCreated,
    /// What a sync does was changed.
    SyncChanged,
    /// A sync was deleted.
    SyncDeleted,
    /// A sync was started.
    SyncStarted,
    /// A sync was paused.
    SyncPaused,
    /// A sync was stopped.
    SyncStopped,
    /// Somebody asked for a run.
    RunRequested,
    /// Somebody ended a run.
    RunCancelled,
    /// Somebody asked for row errors to be sent through again.
    ReprocessRequested,
    /// Row errors were exported with their rows.
    RowErrorsExported,
    /// Row errors were deleted.
    RowErrorsDeleted,
    /// Somebody had rows of a source shown.
    PreviewMade,
    /// A position was set to another one.
    PositionEdited,
    /// Positions were forgotten.
    PositionsReset,
    /// It was changed for how long things are kept.
    RetentionChanged,
    /// An event endpoint was made or turned on.
    EndpointCreated,
    /// An event endpoint got another token.
    EndpointRotated,
    /// An event endpoint was turned off.
    EndpointTurnedOff,
    /// A key of signatures was entered for an event endpoint.
    EndpointSecretEntered,
    /// The keys of signatures of an event endpoint were removed.
    EndpointSecretRemoved,
    /// Messages that waited at an event endpoint were dropped.
    EventsCleared,
    /// A log was exported.
    AuditExported,
}

/// Whether it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
}

/// What tells who somebody is. Sealed under a key of this person in this log.
#[derive(Clone, PartialEq, Eq)]
pub struct Personal {
    /// The person's id.
    pub person: String,
    /// By name: an e-mail address, an address of the network.
    pub fields: BTreeMap<String, String>,
}

/// What is to be put into a log. Neither details nor ids may tell who somebody is, and nothing in it may be a secret.
#[derive(Clone)]
pub struct Event {
    /// What was done.
    pub act: Act,
    /// The id of who did it: a person, a token, or `system`.
    pub actor: String,
    /// The id of what it was done to.
    pub subject: String,
    /// Whether it was done.
    pub outcome: Outcome,
    /// Words and numbers of ours.
    pub details: BTreeMap<String, String>,
    /// What tells who somebody is.
    pub personal: Option<Personal>,
}

impl Event {
    /// Something that was done.
    #[must_use]
    pub fn done(act: Act, actor: impl Into<String>, subject: impl Into<String>) -> Self {
        let (actor, subject) = (actor.into(), subject.into());
        Self { act, actor, subject, outcome: Outcome::Done, details: BTreeMap::new(), personal: None }
    }

    /// Something that was refused.
    #[must_use]
    pub fn refused(act: Act, actor: impl Into<String>, subject: impl Into<String>) -> Self {
        Self { outcome: Outcome::Refused, ..Self::done(act, actor, subject) }
    }

    /// With a word or number of ours.
    #[must_use]
    pub fn detail(mut self, name: &str, value: impl Into<String>) -> Self {
        self.details.insert(name.to_owned(), value.into());
        self
    }

    /// With what tells who this person is.
    #[must_use]
    pub fn personal(mut self, person: &str, fields: &[(&str, &str)]) -> Self {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.personal = Some(Personal { person: person.to_owned(), fields });
        self
    }
}

/// Sealed fields of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SealedFields {
    pub(crate) person: String,
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    pub(crate) sealed: Vec<u8>,
}

/// An entry as it is hashed. The order of the fields is the order of the bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    #[serde(serialize_with = "to_base64", deserialize_with = "hash_from_base64")]
    pub(crate) previous: Hash,
    pub(crate) at_ms: u64,
    /// A text: later versions know more acts than this one.
    pub(crate) act: String,
    pub(crate) actor: String,
    pub(crate) subject: String,
    pub(crate) outcome: Outcome,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) details: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) personal: Option<SealedFields>,
}

impl Entry {
    pub(crate) fn new(event: &Event, sealed: Option<Vec<u8>>, at_ms: u64) -> Self {
        let personal = event.personal.as_ref().zip(sealed);
        Self {
            number: 0,
            previous: [0; 32],
            at_ms,
            act: event.act.name(),
            actor: event.actor.clone(),
            subject: event.subject.clone(),
            outcome: event.outcome,
            details: event.details.clone(),
            personal: personal.map(|(of, sealed)| SealedFields { person: of.person.clone(), sealed }),
        }
    }

    /// The bytes that are kept, exported and hashed: one line without its end.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>, Error> {
        let too_large =
            |bytes| Error::AuditEntryTooLarge { act: self.act.clone(), bytes, limit: ENTRY_BYTES_MAX };
        let bytes = serde_json::to_vec(self).map_err(|_| too_large(0))?;
        if bytes.len() > ENTRY_BYTES_MAX { Err(too_large(bytes.len())) } else { Ok(bytes) }
    }

    /// None: these bytes are no entry, or not as an entry is written.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let entry: Self = serde_json::from_slice(bytes).ok()?;
        (bytes.len() <= ENTRY_BYTES_MAX).then_some(entry)
    }
}

impl Act {
    /// Its name in a log.
    #[must_use]
    pub fn name(self) -> String {
        let name = serde_json::to_value(self).ok();
        name.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    }
}

fn to_base64<S: Serializer>(bytes: impl AsRef<[u8]>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD.decode(text).map_err(|_| serde::de::Error::custom("this is no base64"))
}

fn hash_from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Hash, D::Error> {
    from_base64(deserializer)?.try_into().map_err(|_| serde::de::Error::custom("this is no hash"))
}
