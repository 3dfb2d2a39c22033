//! The credentials that one connection was granted: found where they are kept, and told to its connector without their
//! secrets.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use egress::credential::{Placed, Settings};
use grants::{Credential, Document, Rights};
use manifest::Manifest;
use manifest::credential::Connected;
use measures::Measures;
use records::{OpenedCredential, SealedRecords};
use serde_json::Value;

use crate::connect::binding;
use crate::kept::{Granted, Kept};
use crate::problem::{Problem, Problems};

/// What a connection may use.
#[derive(Default)]
pub(crate) struct Credentials {
    /// For egress.
    pub(crate) settings: Option<Settings>,
    there: Vec<There>,
    /// In a replay, what its connector was told when it was recorded.
    told_before: Option<Value>,
}

/// A credential that is there, as its connector may know it.
struct There {
    granted: Credential,
    public: BTreeMap<String, String>,
    revealed: BTreeMap<String, String>,
}

/// Where a grant stands, for whoever has to act.
#[derive(Clone, Copy)]
pub(crate) struct Stands<'a> {
    /// What kind of document it is.
    pub(crate) written: Document,
    /// The document, as it was given.
    pub(crate) document: &'a str,
    /// The connection in it.
    pub(crate) connection: &'a str,
}

impl Credentials {
    /// Every credential that was granted is kept, and was entered for what it is asked for now.
    pub(crate) async fn of(
        rights: &Rights,
        manifest: &Manifest,
        (records, measures): (Option<Arc<SealedRecords>>, &Arc<Measures>),
        stands: Stands<'_>,
    ) -> Result<Self, Problems> {
        let (mut there, mut placed) = (Vec::new(), Vec::new());
        let (mut granted, mut problems) = (HashMap::new(), Vec::new());
        for credential in rights.credentials() {
            match kept(credential, manifest, records.as_deref()).await {
                Ok(opened) => there.push(There::of(credential, &opened)),
                Err(problem) => problems.push(explained(problem, credential, stands)),
            }
            let Credential { ask, stored, revealed } = credential;
            if !revealed {
                placed.push(Placed { ask: ask.clone(), stored: stored.clone() });
            }
            granted.insert(stored.clone(), Granted { ask: ask.clone(), binding: binding(manifest, ask) });
        }
        Problems::of(problems)?;
        let watch = scrub::Watch::default();
        for There { granted, revealed, .. } in &there {
            revealed.values().for_each(|value| watch.add_held(&granted.stored, value.as_bytes()));
        }
        let settings = records.filter(|_| !granted.is_empty()).map(|records| Settings {
            placed,
            store: Arc::new(Kept::new(records, granted, Arc::clone(measures))),
            watch,
        });
        Ok(Self { settings, there, told_before: None })
    }

    /// None is there; the connector is told of those that were there in a recording.
    pub(crate) fn told_before(told: Value) -> Self {
        Self { told_before: Some(told), ..Self::default() }
    }

    /// The configuration as the connector gets it.
    pub(crate) fn told_in(&self, config: &Value, manifest: &Manifest) -> Value {
        if let Some(told) = &self.told_before {
            return manifest.guest_config_told(config, told.clone());
        }
        let connected = self.there.iter().map(|there| Connected {
            name: &there.granted.ask.name,
            kind: &there.granted.ask.kind,
            public: there.public.clone(),
            revealed: there.revealed.clone(),
        });
        manifest.guest_config(config, &connected.collect::<Vec<_>>())
    }

    /// Names of those whose secrets the connector holds itself.
    pub(crate) fn revealed(&self) -> impl Iterator<Item = &str> {
        self.there.iter().filter(|there| there.granted.revealed).map(|there| there.granted.ask.name.as_str())
    }
}

impl There {
    /// Of what was entered; what the host keeps beside it is the host's.
    fn of(granted: &Credential, opened: &OpenedCredential) -> Self {
        let (mut public, mut revealed) = (BTreeMap::new(), BTreeMap::new());
        for field in granted.ask.entered_fields() {
            if let Some(value) = opened.kept.public.get(field.name).filter(|_| !field.secret) {
                public.insert(field.name.to_owned(), value.clone());
            }
            let secret = opened.secret.get(field.name).filter(|_| granted.revealed);
            if let Some(text) = secret.and_then(|secret| std::str::from_utf8(secret.expose()).ok()) {
                revealed.insert(field.name.to_owned(), text.to_owned());
            }
        }
        Self { granted: granted.clone(), public, revealed }
    }
}

async fn kept(
    credential: &Credential,
    manifest: &Manifest,
    records: Option<&SealedRecords>,
) -> Result<OpenedCredential, records::Error> {
    let name = &credential.stored;
    let Some(records) = records else {
        return Err(records::Error::UnknownCredential { name: name.clone(), known: Vec::new() });
    };
    records.usable_credential(name, &binding(manifest, &credential.ask)).await?;
    records.open_credential(name).await
}

/// With the command that puts it right.
fn explained(error: records::Error, credential: &Credential, stands: Stands<'_>) -> Problem {
    use records::Error;
    let Stands { written, document, connection } = stands;
    let ask = &credential.ask.name;
    let is_to_be_entered = matches!(error, Error::UnknownCredential { .. } | Error::CredentialBinding { .. });
    let problem =
        Problem::from(error).caused_by(format!("`{document}` grants it to `{connection}` as `{ask}`"));
    if !is_to_be_entered {
        return problem;
    }
    let command = match written {
        Document::Sync => format!("cofferdam connect {document} --connection {connection} --ask {ask}"),
        Document::Consent => format!("cofferdam connections enter CONNECTION {ask}"),
    };
    problem.hint(format!("look at where it would be sent, and enter it: `{command}`"))
}
