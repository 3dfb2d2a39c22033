//! Where the tests keep credentials: in memory or in a file, by the rules of the port, and with a log of what was asked.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use egress::credential::{Credentials, Generation, Material, Placed, Secret, Settings, StoreError};
use manifest::{CredentialAsk, Manifest};

/// One credential in a file.
#[derive(serde::Serialize, serde::Deserialize)]
struct Line {
    generation: u64,
    is_redeeming: bool,
    fields: BTreeMap<String, String>,
}

/// The credentials of one organization.
pub(crate) struct Keeper {
    organization: &'static str,
    kept: Mutex<HashMap<String, Result<Material, StoreError>>>,
    events: Mutex<Vec<String>>,
    redeemed: Mutex<Vec<bool>>,
    pub(crate) watch: scrub::Watch,
    /// Keeping never ends, as when the machine loses power in it.
    pub(crate) hangs: AtomicBool,
    /// What outlives the process.
    file: Option<PathBuf>,
}

impl Keeper {
    pub(crate) fn new(organization: &'static str) -> Arc<Self> {
        Arc::new(Self {
            organization,
            kept: Mutex::default(),
            events: Mutex::default(),
            redeemed: Mutex::default(),
            watch: scrub::Watch::new(),
            hangs: AtomicBool::new(false),
            file: None,
        })
    }

    /// One that keeps in this file, with what it finds there.
    pub(crate) fn in_file(file: &Path) -> Arc<Self> {
        let mut keeper = Arc::into_inner(Self::new("acme")).unwrap();
        keeper.file = Some(file.to_owned());
        let text = std::fs::read(file).unwrap_or_else(|_| b"{}".to_vec());
        let lines: BTreeMap<String, Line> = serde_json::from_slice(&text).unwrap();
        for (stored, Line { generation, is_redeeming, fields }) in lines {
            let material = Material::new(Generation(generation)).redeeming(is_redeeming);
            let fields = fields.into_iter();
            let material =
                fields.fold(material, |material, (name, value)| material.with(name, Secret::new(value)));
            keeper.kept.lock().unwrap().insert(stored, Ok(material));
        }
        Arc::new(keeper)
    }

    /// What is kept is in the file, whole, when this returns.
    fn save(&self, kept: &HashMap<String, Result<Material, StoreError>>) {
        let Some(file) = &self.file else { return };
        let line = |(stored, material): (&String, &Result<Material, StoreError>)| {
            let material = material.as_ref().ok()?;
            let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
            let line = Line {
                generation: material.generation().0,
                is_redeeming: material.is_redeeming(),
                fields: material.fields().map(owned).collect(),
            };
            Some((stored.clone(), line))
        };
        let lines: BTreeMap<String, Line> = kept.iter().filter_map(line).collect();
        let fresh = file.with_extension("new");
        std::fs::write(&fresh, serde_json::to_vec(&lines).unwrap()).unwrap();
        std::fs::rename(fresh, file).unwrap();
    }

    /// One with this credential.
    pub(crate) fn with(stored: &str, fields: &[(&str, &str)]) -> Arc<Self> {
        let keeper = Self::new("acme");
        keeper.enter(stored, fields);
        keeper
    }

    /// Enters a credential, or enters it anew.
    pub(crate) fn enter(&self, stored: &str, fields: &[(&str, &str)]) {
        let next = match self.kept.lock().unwrap().get(stored) {
            Some(Ok(kept)) => Generation(kept.generation().0 + 1),
            _ => Generation(1),
        };
        let material = fields.iter().fold(Material::new(next), |material, (name, value)| {
            material.with(*name, Secret::new((*value).to_owned()))
        });
        let mut kept = self.kept.lock().unwrap();
        kept.insert(stored.to_owned(), Ok(material));
        self.save(&kept);
    }

    pub(crate) fn refuse(&self, stored: &str, error: StoreError) {
        self.kept.lock().unwrap().insert(stored.to_owned(), Err(error));
    }

    pub(crate) fn field(&self, stored: &str, name: &str) -> Option<String> {
        let kept = self.kept.lock().unwrap();
        kept[stored].as_ref().ok().and_then(|kept| kept.get(name)).map(ToOwned::to_owned)
    }

    pub(crate) fn is_marked(&self, stored: &str) -> bool {
        self.kept.lock().unwrap()[stored].as_ref().is_ok_and(Material::is_redeeming)
    }

    /// What was kept so far, in order.
    pub(crate) fn events(&self) -> Vec<String> {
        self.events.lock().unwrap().clone()
    }

    /// How redemptions ended, in order.
    pub(crate) fn redeemed(&self) -> Vec<bool> {
        self.redeemed.lock().unwrap().clone()
    }

    /// What others write into the same log.
    pub(crate) fn tell(&self, event: impl Into<String>) {
        self.events.lock().unwrap().push(event.into());
    }

    /// A client of these places these.
    pub(crate) fn settings(self: &Arc<Self>, placed: Vec<Placed>) -> Settings {
        let watch = self.watch.clone();
        Settings { placed, store: Arc::clone(self) as Arc<dyn Credentials>, watch }
    }

    fn change(
        &self,
        stored: &str,
        seen: Generation,
        change: impl FnOnce(&Material) -> Material,
    ) -> Result<(), StoreError> {
        let mut kept = self.kept.lock().unwrap();
        let Some(Ok(material)) = kept.get_mut(stored) else { return Err(StoreError::Missing) };
        if material.generation() != seen {
            return Err(StoreError::Superseded);
        }
        *material = change(material);
        self.save(&kept);
        Ok(())
    }
}

#[async_trait]
impl Credentials for Keeper {
    fn organization(&self) -> &str {
        self.organization
    }

    async fn material(&self, credential: &str) -> Result<Material, StoreError> {
        self.kept.lock().unwrap().get(credential).cloned().unwrap_or(Err(StoreError::Missing))
    }

    async fn mark(&self, credential: &str, seen: Generation) -> Result<(), StoreError> {
        self.change(credential, seen, |material| material.clone().redeeming(true))?;
        self.tell("marked");
        Ok(())
    }

    fn redeemed(&self, _: &str, is_renewed: bool) {
        self.redeemed.lock().unwrap().push(is_renewed);
    }

    async fn unmark(&self, credential: &str, seen: Generation) -> Result<(), StoreError> {
        self.change(credential, seen, |material| material.clone().redeeming(false))?;
        self.tell("unmarked");
        Ok(())
    }

    async fn persist(
        &self,
        credential: &str,
        seen: Generation,
        fresh: Material,
    ) -> Result<Generation, StoreError> {
        if self.hangs.load(Ordering::SeqCst) {
            self.tell("persisting");
            std::future::pending::<()>().await;
        }
        let next = Generation(seen.0 + 1);
        self.change(credential, seen, |_| fresh.at(next).redeeming(false))?;
        self.tell("persisted");
        Ok(next)
    }
}

/// The credentials that a manifest with these hosts and this body asks for.
pub(crate) fn asks(hosts: &[&str], body: &str) -> Vec<CredentialAsk> {
    let hosts: String = hosts.iter().map(|url| format!("[[asks.hosts]]\nurl = \"{url}\"\n")).collect();
    let text = format!(
        "manifest = 1\nname = \"a\"\npublisher = \"b\"\nversion = \"1.0.0\"\ncontract = \"0.1.0\"\n\
         roles = [\"source\"]\ntitle = \"A\"\n{hosts}{body}"
    );
    Manifest::parse("connector.toml", &text)
        .unwrap_or_else(|faults| panic!("{faults}\n{text}"))
        .asks
        .credentials
}

/// One credential `api` for all of a host, kept as `acme.api`, with these settings of its kind.
pub(crate) fn placed(url: &str, settings: &str) -> Vec<Placed> {
    placed_for(&format!("{{ url = \"{url}\" }}"), &[url], settings)
}

/// One credential `api` with this audience.
pub(crate) fn placed_for(audience: &str, hosts: &[&str], settings: &str) -> Vec<Placed> {
    let body = format!("[[asks.credentials]]\nname = \"api\"\naudience = [{audience}]\n{settings}\n");
    asks(hosts, &body).into_iter().map(|ask| Placed { ask, stored: "acme.api".to_owned() }).collect()
}
