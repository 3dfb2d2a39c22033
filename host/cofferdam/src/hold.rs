//! What can be taken back from one connection while it runs: its right to be connected, or a part of it.

use std::path::PathBuf;
use std::sync::Arc;

use egress::{Narrowing, Revocation, Revoker};
use grants::{Basis, Credential, Document, Rights};
use manifest::{Asks, Grants, Role};
use runtime::Stopper;
use serde::{Deserialize, Serialize};

use crate::problem::{Own, Problem};

/// A connection of a run that goes on.
pub(crate) struct Hold {
    /// Where its grants stand.
    pub(crate) document: Document,
    pub(crate) role: Role,
    /// Its name in the sync.
    pub(crate) name: String,
    /// The connector's name in its manifest.
    pub(crate) connector: String,
    /// The connector's file.
    pub(crate) file: PathBuf,
    /// What it asked for when it began.
    pub(crate) asks: Asks,
    /// What it was granted when it began.
    pub(crate) grants: Grants,
    pub(crate) first: Rights,
    pub(crate) gate: Arc<Narrowing>,
    pub(crate) revoker: Revoker,
    /// Ends what it does with its files.
    pub(crate) cutter: Stopper,
}

/// What a change did to a connection.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Effect {
    pub(crate) connection: String,
    pub(crate) outcome: Outcome,
    /// Requests that were cut.
    pub(crate) cut: usize,
    /// Something was granted that the connection did not begin with.
    pub(crate) is_wider: bool,
    /// Why it cannot go on, where it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<Problem>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// It may do what it could do at its beginning.
    Unchanged,
    /// It goes on with less.
    Narrowed,
    /// It is connected to nothing any more.
    Revoked,
}

/// Something without which a connection cannot go on.
struct Lost {
    what: String,
    to_allow: String,
    /// Lines for the document.
    lines: Option<String>,
}

/// What a connection may do for what it asks and is granted: nobody else has a say.
pub(crate) fn rights(
    document: Document,
    (role, name, connector): (Role, &str, &str),
    (asks, grants): (&Asks, &Grants),
) -> Rights {
    Rights::new(&Basis { document, role, name, connector, asks, grants, organization: None, host: None })
}

impl Lost {
    fn of(what: &str) -> Self {
        Self {
            what: format!("the sync no longer grants it {what}"),
            to_allow: "put the grant back; the next run goes on from the last commit".to_owned(),
            lines: None,
        }
    }

    /// With the lines that would grant this subject again.
    fn grant(what: &str, rights: &Rights, subject: &str) -> Self {
        let unmet = rights.unmet().iter().find(|unmet| unmet.subject == subject);
        Self { lines: unmet.and_then(|unmet| unmet.line_to_add.clone()), ..Self::of(what) }
    }
}

impl Hold {
    /// The credential that it has under this stored name.
    pub(crate) fn credential(&self, stored: &str) -> Option<&Credential> {
        self.first.credentials().iter().find(|credential| credential.stored == stored)
    }

    /// A credential that it has is no longer kept.
    pub(crate) fn lose_credential(&self, credential: &Credential, document: &str) -> Effect {
        let Credential { ask, stored, .. } = credential;
        let command = format!("cofferdam connect {document} --connection {} --ask {}", self.name, ask.name);
        self.revoke(Lost {
            what: format!("the credential `{stored}`, which it used, was revoked"),
            to_allow: format!("`{command}` enters it again; the next run goes on from the last commit"),
            lines: None,
        })
    }

    /// These grants are what the document says now; none: it does not have the connection any more.
    pub(crate) fn obey(&self, grants: Option<&Grants>) -> Effect {
        let none = Grants::default();
        let grants = grants.unwrap_or(&none);
        let rights = self.rights(grants);
        let is_wider = self.is_wider(&rights);
        if self.lost_directory(&rights).is_some() {
            self.cutter.stop();
        }
        if let Some(lost) = self.lost(grants, &rights) {
            return Effect { is_wider, ..self.revoke(lost) };
        }
        let covers = |mine: &Rights, theirs: &Rights| {
            let hosts = theirs.rules().iter().all(|rule| mine.rules().iter().any(|one| one.covers(rule)));
            hosts && theirs.addresses().iter().all(|one| mine.addresses().contains(one))
        };
        let outcome = if covers(&rights, &self.first) { Outcome::Unchanged } else { Outcome::Narrowed };
        self.gate.narrow(Arc::new(rights));
        Effect {
            connection: self.name.clone(),
            outcome,
            cut: self.revoker.rejudge(),
            is_wider,
            problem: None,
        }
    }

    fn rights(&self, grants: &Grants) -> Rights {
        rights(self.document, (self.role, &self.name, &self.connector), (&self.asks, grants))
    }

    fn is_wider(&self, rights: &Rights) -> bool {
        let first = &self.first;
        let hosts = rights.rules().iter().any(|rule| !first.rules().iter().any(|one| one.covers(rule)));
        let addresses = rights.addresses().iter().any(|one| !first.addresses().contains(one));
        let credentials = rights.credentials().iter().any(|one| !first.credentials().contains(one));
        let directories = rights.directories().any(|(name, now)| {
            first.directory(name).is_none_or(|(access, path)| now.access > access || now.path != path)
        });
        hosts || addresses || credentials || directories
    }

    /// What a connection holds as long as it is there cannot become less: files are open, a secret is known.
    fn lost(&self, grants: &Grants, rights: &Rights) -> Option<Lost> {
        let directory_or_authority = || self.lost_directory(rights).or_else(|| self.lost_authority(grants));
        self.lost_credential(rights).or_else(directory_or_authority)
    }

    fn lost_credential(&self, rights: &Rights) -> Option<Lost> {
        let lost = self.first.credentials().iter().find(|one| !rights.credentials().contains(one))?;
        let Credential { ask, stored, .. } = lost;
        Some(Lost::grant(&format!("the credential `{stored}` as `{}`", ask.name), rights, &ask.name))
    }

    fn lost_directory(&self, rights: &Rights) -> Option<Lost> {
        let (name, _) = self.first.directories().find(|(name, began)| {
            rights.directory(name).is_none_or(|(access, path)| access < began.access || path != began.path)
        })?;
        Some(Lost::grant(&format!("the directory `{name}` as it has it"), rights, name))
    }

    fn lost_authority(&self, grants: &Grants) -> Option<Lost> {
        let is_untrusted = self.grants.tls.is_some() && self.grants.tls != grants.tls;
        is_untrusted.then(|| Lost::of("the authority that it trusts"))
    }

    fn revoke(&self, lost: Lost) -> Effect {
        let Lost { what, to_allow, lines } = lost;
        let why = Revocation { what: what.clone(), to_allow: to_allow.clone() };
        let cut = self.revoker.revoke(why);
        let connection = self.name.clone();
        let mut problem = Problem::from(Own::TakenBack { connection: connection.clone(), what, to_allow });
        if let Some(lines) = lines {
            problem = problem.allowed_by(&lines);
        }
        let (outcome, problem) = (Outcome::Revoked, Some(problem));
        Effect { connection, outcome, cut, is_wider: false, problem }
    }
}
