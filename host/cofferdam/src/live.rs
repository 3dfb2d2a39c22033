//! A run that goes on, as those see it who come beside it: what it uses can be taken back.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use manifest::SyncFile;
use records::{LogLevel, LogLine, RunLog, TakenBack};

use crate::arguments::Network;
use crate::document::Document;
use crate::hold::{Effect, Hold, Outcome};
use crate::problem::Problems;
use crate::taken::Taken;
use crate::units::now_ms;

/// A run that goes on.
pub(crate) struct Live {
    /// The sync's document.
    pub(crate) document: PathBuf,
    /// Whose connections may be taken back.
    pub(crate) holds: Vec<Arc<Hold>>,
    /// How this process reaches a provider.
    pub(crate) network: Network,
    pub(crate) taken: Taken,
    pub(crate) log: Arc<RunLog>,
}

impl Live {
    /// Cuts off every connection that has this credential, and ends the run if there is one.
    pub(crate) fn revoke(&self, stored: &str, by: &str) -> Vec<Effect> {
        let document = self.document.display().to_string();
        let having = self.holds.iter().filter_map(|hold| Some((hold, hold.credential(stored)?)));
        let effects = having.map(|(hold, credential)| hold.lose_credential(credential, &document));
        self.told(effects.collect(), by)
    }

    /// Reads the document anew and applies what its grants have become, as far as that is less.
    pub(crate) fn reload(&self, by: &str) -> Result<Vec<Effect>, Problems> {
        let document = Document::read(&self.document)?;
        Ok(self.obey(&document.sync, by))
    }

    /// Applies what the grants of a sync have become, as far as that is less.
    pub(crate) fn obey(&self, sync: &SyncFile, by: &str) -> Vec<Effect> {
        let effects = self.holds.iter().map(|hold| hold.obey(grants_of(sync, hold)));
        self.told(effects.collect(), by)
    }

    /// Is this the document of the run?
    pub(crate) fn is_of(&self, document: &Path) -> bool {
        self.document.canonicalize().is_ok_and(|own| own == document)
    }

    /// It stands in the run's log, and stays with the run.
    fn told(&self, effects: Vec<Effect>, by: &str) -> Vec<Effect> {
        for Effect { connection, outcome, cut, problem, .. } in &effects {
            if *outcome == Outcome::Unchanged {
                continue;
            }
            let text = match problem {
                Some(problem) => problem.message.clone(),
                None => format!("the grants of `{connection}` were narrowed; requests that were cut: {cut}"),
            };
            let (at_ms, connector) = (now_ms(), "host".into());
            self.log.push(LogLine { at_ms, connector, level: LogLevel::Warn, text: text.clone() });
            let (by, connection) = (by.to_owned(), connection.clone());
            let code = problem.as_ref().map(|problem| problem.code.clone());
            self.taken.note(TakenBack { at_ms, by, connection, text, code }, problem.clone());
        }
        effects
    }
}

/// What a connection is granted now; none: its name, or its connector, is another one.
fn grants_of<'s>(sync: &'s SyncFile, hold: &Hold) -> Option<&'s manifest::Grants> {
    let ends = [&sync.source, &sync.destination];
    let mut all = ends.into_iter().chain(&sync.transforms);
    all.find(|said| said.name == hold.name && said.connector == hold.file).map(|said| &said.grants)
}
