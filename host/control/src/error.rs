//! Why control does not do what it was asked to.

/// Why control does not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What is stored opens and is not what this version writes.
    #[error("a record of the table `{table}` cannot be read: {message}")]
    Unreadable {
        /// The table.
        table: String,
        /// What is wrong with it.
        message: String,
    },
    /// The same record is changed again and again while we try to.
    #[error("a record of the table `{table}` was changed {attempts} times while it was to be changed here")]
    Contended {
        /// The table.
        table: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// An entry of an audit log is too large.
    #[error("an entry `{act}` of {bytes} bytes is over the limit of {limit} for the audit log")]
    AuditEntryTooLarge {
        /// What was done.
        act: String,
        /// How much it is; 0 when it cannot be written at all.
        bytes: usize,
        /// How much it may be.
        limit: usize,
    },
    /// A text that is no key of checkpoints.
    #[error("this is no key of audit logs: it is written `name+hash+key`")]
    BadNoteKey,
    /// A text that is no signed checkpoint.
    #[error("this is no signed checkpoint of an audit log")]
    BadNote,
    /// A checkpoint without a signature of the key that judges it.
    #[error("the checkpoint is not signed by `{key}`")]
    NoteNotSigned {
        /// The name of the key.
        key: String,
    },
    /// A checkpoint of another log.
    #[error("the checkpoint is that of `{found}`, not of `{wanted}`")]
    ForeignNote {
        /// Of which log it is.
        found: String,
        /// Of which it was to be.
        wanted: String,
    },
    /// A log has not so many entries.
    #[error("the audit log `{log}` has {entries} entries, and {number} was asked for")]
    NoSuchEntry {
        /// The log.
        log: String,
        /// What was asked for.
        number: u64,
        /// How many there are.
        entries: u64,
    },
    /// A file that is no exported audit log.
    #[error("the file is no exported audit log of a version that is known")]
    NoAuditExport,
    /// An exported audit log cannot be written or read.
    #[error("failed to write or read an exported audit log")]
    Export(#[source] std::io::Error),
    /// Personal fields cannot be sealed.
    #[error("failed to seal the personal fields of an entry of the audit log")]
    Sealing,
    /// A text that is no address of e-mail. Not quoted: it may tell who somebody is.
    #[error("this is no address of e-mail, such as `name@example.com`")]
    BadEmail,
    /// A password that everybody may guess.
    #[error("the password is not taken: {}", weakness.reason())]
    WeakPassword {
        /// What is wrong with it.
        weakness: crate::users::Weakness,
    },
    /// Who somebody is was not shown. Deliberately says no more.
    #[error("the address, the password or the code is wrong")]
    LoginRefused,
    /// Too many attempts come from one address of the network.
    #[error("too many attempts: the next one may be made in {} s", retry_after_ms.div_ceil(1_000))]
    TooManyAttempts {
        /// When to come again.
        retry_after_ms: u64,
    },
    /// The token does not make the first operator.
    #[error("the setup token is wrong or was used")]
    BadSetupToken,
    /// More passwords are to be hashed than this machine can.
    #[error("too many people log in at this moment")]
    Busy,
    /// A password cannot be hashed.
    #[error("a password cannot be hashed on this machine")]
    Hashing,
    /// Somebody has this address.
    #[error("somebody with this address of e-mail is known already")]
    EmailTaken,
    /// The password is right, and a code is needed beside it.
    #[error("a code of the second factor is needed")]
    SecondFactorNeeded,
    /// The second factor is not in the state that this needs.
    #[error("{}", if *is_enabled { "the second factor is set up already" } else { "no second factor is set up" })]
    SecondFactorState {
        /// Whether it is there.
        is_enabled: bool,
    },
    /// A code that is wrong or was used.
    #[error("the code is wrong or was used")]
    BadCode,
    /// Nobody has this id.
    #[error("there is no person `{user}`")]
    UnknownUser {
        /// The id.
        user: String,
    },
    /// There is no such organization, or who asks must not know that there is.
    #[error("there is no organization `{organization}`")]
    UnknownOrganization {
        /// The id.
        organization: String,
    },
    /// An organization of another region.
    #[error("the organization `{organization}` is of the region `{found}`, and this process of `{here}`")]
    OtherRegion {
        /// The id.
        organization: String,
        /// The organization's region.
        found: String,
        /// The process's region.
        here: String,
    },
    /// Somebody may not do something.
    #[error("`{action}` is denied: {reason}")]
    Denied {
        /// What.
        action: String,
        /// Why.
        reason: crate::access::Reason,
    },
    /// The invitation is wrong, was used, has ended, or is somebody else's. Deliberately says no more.
    #[error("the invitation is wrong, was used or has ended")]
    BadInvitation,
    /// Nobody would rule over the organization any more.
    #[error("the organization would be without an admin")]
    LastAdmin,
    /// A text that cannot be what it is to be.
    #[error("the {what} is not taken: {reason}")]
    BadName {
        /// What it is to be.
        what: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
    /// Somebody is a member already.
    #[error("this person is a member already")]
    AlreadyMember,
    /// Nobody allowed to look into the organization, or the time is over.
    #[error("no admin of the organization lets you look into it now")]
    BadGlass,
    /// A session that is none, or none any more.
    #[error("the session has ended")]
    SessionEnded,
    /// A token of the API that is none, has ended or was revoked, or whose person is no member any more.
    #[error("the token is wrong, has ended or was revoked")]
    BadToken,
    /// A token of the API that would be good for nothing or for too long.
    #[error("a token needs a scope, and a life of at most {days_max} days")]
    BadLife {
        /// The longest life.
        days_max: u64,
    },
    /// Ranges of addresses that cannot be a zone.
    #[error("the ranges of addresses are not taken: {reason}")]
    BadZones {
        /// What is wrong.
        reason: &'static str,
    },
    /// A schedule that cannot be one.
    #[error("the schedule is not taken: {reason}")]
    BadSchedule {
        /// What is wrong.
        reason: &'static str,
    },
    /// There is no such thing in this organization.
    #[error("there is no {what} `{id}`")]
    UnknownObject {
        /// What it would be.
        what: &'static str,
        /// Its id.
        id: String,
    },
    /// Somebody else has changed it since it was read.
    #[error("the {what} `{id}` has revision {found}, and revision {expected} was to be changed")]
    StaleRevision {
        /// What it is.
        what: &'static str,
        /// Its id.
        id: String,
        /// What was seen.
        expected: u64,
        /// What it has by now.
        found: u64,
    },
    /// Others stand on it.
    #[error("the {what} `{id}` is in use by {uses} others")]
    InUse {
        /// What it is.
        what: &'static str,
        /// Its id.
        id: String,
        /// How many.
        uses: u32,
    },
    /// A manifest that is none.
    #[error("the manifest is not taken:\n{0}")]
    BadManifest(manifest::Faults),
    /// A digest of a component that is none.
    #[error("this is no digest of a component: it has 64 digits of `0` to `9` and `a` to `f`")]
    BadDigest,
    /// A component that is larger than any that is run.
    #[error("the component has more than {limit} bytes")]
    ComponentTooLarge {
        /// How many it may have.
        limit: usize,
    },
    /// A configuration that its connector does not take.
    #[error("the configuration is not taken: {}", listed(faults))]
    BadConfig {
        /// Every fault, with its place.
        faults: Vec<manifest::ConfigFault>,
    },
    /// Rights that nobody asked for, or that an admin of an organization cannot grant.
    #[error("the consent is not taken: {}", listed(faults))]
    BadConsent {
        /// Every fault, with its place.
        faults: Vec<manifest::ConfigFault>,
    },
    /// What an admin was offered once and has granted.
    #[error(
        "the operator of this server offers this organization no directory `{directory}`, which is granted as `{ask}`"
    )]
    DirectoryNotOffered {
        /// The name under which the connector asks for it.
        ask: String,
        /// What the operator called it.
        directory: String,
        /// What the operator would write to offer it.
        line: String,
    },
    /// A sync that cannot be one.
    #[error("the sync is not taken: {}", listed(faults))]
    BadSync {
        /// Every fault, with its place.
        faults: Vec<manifest::ConfigFault>,
    },
    /// A sync has one run at a time.
    #[error("the sync `{sync}` has a run that waits or is under way")]
    RunPending {
        /// The sync.
        sync: String,
    },
    /// Whoever held the run was away for too long, and another has it or it has ended. It must stop, and has nothing to say.
    #[error("the run `{run}` is held by another, or has ended")]
    RunLost {
        /// The run.
        run: String,
    },
    /// What was typed is not what the organization is called.
    #[error("this is not the name of the organization")]
    WrongName,
    /// Nobody asked for the organization to be deleted, or the wish was taken back.
    #[error("nobody has asked for the organization to be deleted")]
    NoDeletion,
    /// Who asked for a deletion waits, or another admin agrees.
    #[error("the deletion waits for another admin, or until {due_ms}")]
    DeletionWaits {
        /// In milliseconds since the epoch.
        due_ms: u64,
    },
    /// Nobody would run the installation any more.
    #[error("the installation would be without an operator")]
    LastOperator,
    /// Of event endpoints.
    #[error(transparent)]
    Event(#[from] crate::endpoints::EventError),
    /// There is no randomness, or a record cannot be sealed.
    #[error(transparent)]
    Seal(#[from] vault::SealError),
    /// Storage refuses.
    #[error(transparent)]
    Storage(#[from] storage::Error),
}

impl Error {
    /// The stable code, explained by a page of its own.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "CD1201",
            Self::Contended { .. } => "CD1202",
            Self::AuditEntryTooLarge { .. } => "CD1203",
            Self::BadNoteKey => "CD1204",
            Self::BadNote => "CD1205",
            Self::NoteNotSigned { .. } => "CD1206",
            Self::ForeignNote { .. } => "CD1207",
            Self::NoSuchEntry { .. } => "CD1208",
            Self::NoAuditExport => "CD1209",
            Self::Export(_) => "CD1210",
            Self::Sealing => "CD1211",
            Self::BadEmail => "CD1220",
            Self::WeakPassword { .. } => "CD1221",
            Self::LoginRefused => "CD1222",
            Self::TooManyAttempts { .. } => "CD1223",
            Self::BadSetupToken => "CD1224",
            Self::Busy => "CD1225",
            Self::Hashing => "CD1226",
            Self::EmailTaken => "CD1227",
            Self::SecondFactorNeeded => "CD1228",
            Self::SecondFactorState { .. } => "CD1229",
            Self::BadCode => "CD1230",
            Self::UnknownUser { .. } => "CD1231",
            Self::UnknownOrganization { .. } => "CD1240",
            Self::OtherRegion { .. } => "CD1241",
            Self::Denied { .. } => "CD1242",
            Self::BadInvitation => "CD1243",
            Self::LastAdmin => "CD1244",
            Self::BadName { .. } => "CD1245",
            Self::AlreadyMember => "CD1246",
            Self::BadGlass => "CD1247",
            Self::SessionEnded => "CD1248",
            Self::BadToken => "CD1249",
            Self::BadLife { .. } => "CD1250",
            Self::BadZones { .. } => "CD1251",
            Self::BadSchedule { .. } => "CD1252",
            Self::UnknownObject { .. } => "CD1253",
            Self::StaleRevision { .. } => "CD1254",
            Self::InUse { .. } => "CD1255",
            Self::BadManifest(_) => "CD1256",
            Self::BadDigest => "CD1257",
            Self::BadConfig { .. } => "CD1258",
            Self::BadConsent { .. } => "CD1259",
            Self::DirectoryNotOffered { .. } => "CD1277",
            Self::BadSync { .. } => "CD1260",
            Self::RunPending { .. } => "CD1261",
            Self::RunLost { .. } => "CD1262",
            Self::WrongName => "CD1263",
            Self::NoDeletion => "CD1264",
            Self::DeletionWaits { .. } => "CD1265",
            Self::LastOperator => "CD1266",
            Self::ComponentTooLarge { .. } => "CD1267",
            Self::Event(error) => error.code(),
            Self::Seal(error) => error.code(),
            Self::Storage(error) => error.code(),
        }
    }
}

/// Faults on one line: `/page/size: the value is too large; unknown key `x``.
fn listed(faults: &[manifest::ConfigFault]) -> String {
    let told = |fault: &manifest::ConfigFault| match fault.path.as_str() {
        "" => fault.message.clone(),
        path => format!("{path}: {}", fault.message),
    };
    faults.iter().map(told).collect::<Vec<_>>().join("; ")
}
