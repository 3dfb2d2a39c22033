//! Who may do what: one table, over every pair. Pure.
//!
//! An operator runs the installation and sees of an organization its name and the names and types of objects and fields,
//! nothing else. Who is no member learns not even that an organization is there.

use std::collections::BTreeSet;
use std::fmt;

/// As what somebody acts in an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Runs the installation, and is no member.
    Operator,
    /// A member that rules over it.
    Admin,
    /// A member that works in it.
    User,
    /// Somebody who is no member.
    Outsider,
    /// An operator whom an admin of it lets look at what was selected.
    Glass {
        /// What that admin selected.
        selected: BTreeSet<Action>,
    },
}

/// What an API token may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// To look.
    Read,
    /// To change what syncs are.
    Write,
    /// To start and stop runs.
    Run,
    /// To rule over members and rights.
    Admin,
}

/// What break-glass gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum GlassGives {
    Nothing,
    Metadata,
    IfSelected,
}

/// Why somebody may not do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Who asks is no member. To be answered as if there were no such organization.
    NotAMember,
    /// An admin of the organization may.
    NeedsAdmin,
    /// An operator of the installation may.
    NeedsOperator,
    /// An operator sees no rows, configurations and credentials.
    OperatorSeesNoData,
    /// The admin who allowed to look has not selected it, or it can never be.
    NotSelected,
    /// The token has not this scope.
    NeedsScope(Scope),
    /// Nobody may by a token: a person must.
    NeedsPerson,
}

/// Each row is an action: its name, who may, what break-glass gives, and the scope that a token needs; none: no token may.
macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident: [$($actor:ident)*], $glass:ident, $scope:expr;)*) => {
        /// What somebody may want to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Action {
            $($(#[$doc])* $name,)*
        }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            fn roles(self) -> &'static [Role] {
                match self {
                    $(Self::$name => &[$(Role::$actor,)*],)*
                }
            }

            fn glass(self) -> GlassGives {
                match self {
                    $(Self::$name => GlassGives::$glass,)*
                }
            }

            /// The scope that a token needs for it; none: no token may.
            #[must_use]
            pub fn scope(self) -> Option<Scope> {
                match self {
                    $(Self::$name => $scope,)*
                }
            }
        }
    };
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Operator,
    Admin,
    User,
}

actions! {
    /// Sees name and region of the organization.
    ReadOrganization: [Operator Admin User], Metadata, Some(Scope::Read);
    /// Sees names and types of objects and fields.
    ReadCatalog: [Operator Admin User], Metadata, Some(Scope::Read);
    /// Sees when runs were, how they ended, and how many rows they moved.
    ReadRuns: [Admin User], Metadata, Some(Scope::Read);
    /// Sees lines of logs, which may quote rows.
    ReadRunLogs: [Admin User], IfSelected, Some(Scope::Read);
    /// Sees configurations of connections and syncs.
    ReadConfigurations: [Admin User], IfSelected, Some(Scope::Read);
    /// Sees rows: row errors, previews, events.
    ReadRows: [Admin User], IfSelected, Some(Scope::Read);
    /// Sees positions of syncs.
    ReadPositions: [Admin User], IfSelected, Some(Scope::Read);
    /// Makes and changes connections and syncs.
    ChangeSyncs: [Admin User], Nothing, Some(Scope::Write);
    /// Changes when syncs run.
    ChangeSchedules: [Admin User], Nothing, Some(Scope::Write);
    /// Edits and resets positions.
    EditPositions: [Admin User], Nothing, Some(Scope::Write);
    /// Deletes rows that are kept: row errors and events.
    DeleteRows: [Admin User], Nothing, Some(Scope::Write);
    /// Starts, stops and reprocesses.
    StartRuns: [Admin User], Nothing, Some(Scope::Run);
    /// Enters and revokes credentials. Nobody reads one.
    EnterCredentials: [Admin User], Nothing, Some(Scope::Write);
    /// Grants rights to connectors.
    GrantRights: [Admin], Nothing, Some(Scope::Admin);
    /// Sees who is a member.
    ListMembers: [Admin User], Nothing, Some(Scope::Read);
    /// Invites, and takes invitations back.
    InviteMembers: [Admin], Nothing, Some(Scope::Admin);
    /// Changes roles and removes members.
    ChangeMembers: [Admin], Nothing, Some(Scope::Admin);
    /// Leaves the organization.
    Leave: [Admin User], Nothing, None;
    /// Changes the organization's name.
    RenameOrganization: [Admin], Nothing, Some(Scope::Admin);
    /// Deletes the organization.
    DeleteOrganization: [Admin], Nothing, None;
    /// Changes from where the organization is reached.
    ChangeZones: [Admin], Nothing, Some(Scope::Admin);
    /// Changes for how long rows, logs and events are kept.
    ChangeRetention: [Admin], Nothing, Some(Scope::Admin);
    /// Reads and exports the organization's audit log.
    ReadAudit: [Admin], Nothing, Some(Scope::Admin);
    /// Makes a token of one's own.
    CreateTokens: [Admin User], Nothing, None;
    /// Revokes tokens of others.
    RevokeTokens: [Admin], Nothing, Some(Scope::Admin);
    /// Asks to look into the organization.
    RequestBreakGlass: [Operator], Nothing, None;
    /// Lets an operator look into the organization, or no more.
    ApproveBreakGlass: [Admin], Nothing, None;
    /// Makes an organization.
    CreateOrganization: [Operator], Nothing, None;
    /// Runs the installation: its health, its limits, its connectors.
    RunInstallation: [Operator], Nothing, None;
    /// Reads and exports the installation's audit log.
    ReadInstallationAudit: [Operator], Nothing, None;
}

impl Action {
    /// Whether an admin may select it when letting an operator look.
    #[must_use]
    pub fn is_selectable(self) -> bool {
        self.glass() == GlassGives::IfSelected
    }

    /// Its name, as it is written.
    #[must_use]
    pub fn name(self) -> String {
        let name = serde_json::to_value(self).ok();
        name.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    }
}

/// Whether somebody may do something, and why not.
///
/// # Errors
/// The reason.
pub fn judge(actor: &Actor, action: Action) -> Result<(), Reason> {
    let may = |role: Role| action.roles().contains(&role);
    match actor {
        Actor::Operator if may(Role::Operator) => Ok(()),
        Actor::Operator => Err(Reason::OperatorSeesNoData),
        Actor::Admin if may(Role::Admin) => Ok(()),
        Actor::User if may(Role::User) => Ok(()),
        Actor::User if may(Role::Admin) => Err(Reason::NeedsAdmin),
        Actor::Admin | Actor::User => Err(Reason::NeedsOperator),
        Actor::Outsider => Err(Reason::NotAMember),
        Actor::Glass { selected } => match action.glass() {
            GlassGives::Metadata => Ok(()),
            GlassGives::IfSelected if selected.contains(&action) => Ok(()),
            GlassGives::IfSelected | GlassGives::Nothing => Err(Reason::NotSelected),
        },
    }
}

/// Whether a token with these scopes may do something for whom it belongs to.
///
/// # Errors
/// The reason.
pub fn judge_token(actor: &Actor, scopes: &BTreeSet<Scope>, action: Action) -> Result<(), Reason> {
    judge(actor, action)?;
    match action.scope() {
        None => Err(Reason::NeedsPerson),
        Some(scope) if scopes.contains(&scope) => Ok(()),
        Some(scope) => Err(Reason::NeedsScope(scope)),
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAMember => formatter.write_str("you are no member of it"),
            Self::NeedsAdmin => formatter.write_str("an admin of the organization may"),
            Self::NeedsOperator => formatter.write_str("an operator of the installation may"),
            Self::OperatorSeesNoData => {
                formatter.write_str("an operator sees no rows, configurations and credentials")
            }
            Self::NotSelected => formatter.write_str("it was not selected to be looked at"),
            Self::NeedsScope(scope) => {
                write!(formatter, "the token needs the scope `{}`", format!("{scope:?}").to_lowercase())
            }
            Self::NeedsPerson => formatter.write_str("it cannot be done with a token"),
        }
    }
}

#[cfg(test)]
mod tests;
