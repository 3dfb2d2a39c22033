//! Reads a cassette, and finds in it what is asked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::VERSION;
use crate::body::Playing;
use crate::error::Error;
use crate::files;
use crate::format::{Exchange, Failure, Head, Headers, Response};
use crate::nearest::{Differs, Known};
use crate::seen::{Asked, key};
use crate::tape;
use crate::timeline::{Ready, Timeline};

/// A cassette that is replayed. Clones are the same replay.
#[derive(Clone)]
pub struct Player(Arc<Inner>);

struct Inner {
    folder: PathBuf,
    head: Head,
    state: Mutex<State>,
    answered: AtomicU64,
}

#[derive(Default)]
struct State {
    ordinals: BTreeMap<String, u32>,
    fault: Option<Error>,
}

impl Player {
    /// Opens the cassette in this folder.
    ///
    /// # Errors
    /// [`Error::Read`] and [`Error::Corrupt`] where there is none, [`Error::Newer`], [`Error::Incomplete`].
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(files::HEAD);
        // The version first: the rest of a newer one may have another form.
        let document: Json = files::read_document(&path)?;
        let found = document.get("cassette").and_then(Json::as_u64);
        let found = found.ok_or_else(|| Error::corrupt(&path, "it does not say which version it has"))?;
        if found > u64::from(VERSION) {
            return Err(Error::Newer { path: folder.to_owned(), found, known: VERSION });
        }
        let head: Head =
            serde_json::from_value(document).map_err(|error| Error::corrupt(&path, error.to_string()))?;
        if !head.complete {
            return Err(Error::Incomplete { path: folder.to_owned() });
        }
        let (state, answered) = (Mutex::default(), AtomicU64::new(0));
        Ok(Self(Arc::new(Inner { folder: folder.to_owned(), head, state, answered })))
    }

    /// What is known of the recording.
    pub fn head(&self) -> &Head {
        &self.0.head
    }

    /// How many exchanges were answered so far, and how many were recorded.
    pub fn answered(&self) -> (u64, u64) {
        let recorded = self.0.head.instances.values().map(|count| u64::from(*count)).sum();
        (self.0.answered.load(Ordering::Relaxed), recorded)
    }

    /// Why the replay cannot go on.
    pub fn fault(&self) -> Option<Error> {
        self.0.state().fault.clone()
    }

    pub(crate) fn tape(&self, connection: &str, call: &str, about: &str) -> Result<Played, Error> {
        let name = {
            let mut state = self.0.state();
            let ordinal = state.ordinals.entry(files::instance(connection, call, about, 0)).or_default();
            *ordinal += 1;
            files::instance(connection, call, about, *ordinal)
        };
        Played::open(Arc::clone(&self.0), name).inspect_err(|error| {
            self.0.state().fault.get_or_insert(error.clone());
        })
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one instance exchanged, told again.
pub struct Played {
    player: Arc<Inner>,
    name: String,
    folder: PathBuf,
    seed: [u8; 32],
    time: Mutex<Timeline>,
    exchanges: Mutex<Vec<Indexed>>,
}

/// A recorded exchange, without what is long of it.
struct Indexed {
    number: u32,
    key: [u8; 32],
    body: [u8; 32],
    used: bool,
}

/// An exchange that was found.
pub struct Recorded {
    /// Its response; none where it failed or was left before there was one.
    pub response: Option<(Response, Playing)>,
    /// Why there is none, or why its body ended.
    pub failure: Option<Failure>,
}

impl Played {
    fn open(player: Arc<Inner>, name: String) -> Result<Self, Error> {
        let folder = player.folder.join(&name);
        let begins_ms = player.head.started_ms;
        let Some(count) = player.head.instances.get(&name).copied() else {
            // It was not there in the recording: it has a time and a chance of its own, the same in each replay.
            let seed = Sha256::digest(name.as_bytes()).into();
            let (time, exchanges) = (Mutex::new(Timeline::beginning_at(begins_ms)), Mutex::default());
            return Ok(Self { player, name, folder, seed, time, exchanges });
        };
        let (seed, timeline) = tape::read(&folder.join(files::TAPE), begins_ms)?;
        let exchanges = (1..=count).map(|number| index(&folder, number)).collect::<Result<_, _>>()?;
        let (time, exchanges) = (Mutex::new(timeline), Mutex::new(exchanges));
        Ok(Self { player, name, folder, seed, time, exchanges })
    }

    fn time(&self) -> MutexGuard<'_, Timeline> {
        self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From what all of its randomness is made.
    pub fn seed(&self) -> [u8; 32] {
        self.seed
    }

    /// A call of the contract begins.
    pub fn begin_call(&self, call: &str) {
        self.time().begin_call(call);
    }

    /// The time of day.
    pub fn wall_ms(&self) -> u64 {
        self.time().wall_ms()
    }

    /// The other clock.
    pub fn monotonic_ms(&self) -> u64 {
        self.time().monotonic_ms()
    }

    /// What the next wait ends with; none where that was not recorded.
    pub fn ready(&self) -> Option<Ready> {
        self.time().ready()
    }

    /// A sleep that took no time.
    pub fn slept(&self, ms: u64) {
        self.time().slept(ms);
    }

    /// Why the replay cannot go on.
    pub fn fault(&self) -> Option<Error> {
        self.player.state().fault.clone()
    }

    /// The replay cannot go on. The first reason stays.
    pub fn note(&self, error: Error) {
        self.player.state().fault.get_or_insert(error);
    }

    /// What was answered to this request: of several recordings of it the first that was not told yet. It reads files.
    ///
    /// # Errors
    /// [`Error::Unmatched`] with what differs from the nearest recording; or the file is damaged.
    pub fn answer(&self, asked: &Asked) -> Result<Recorded, Error> {
        let body = asked.body.digest();
        let wanted = key(&asked.method, &asked.url, &asked.headers, body, &asked.trailers);
        let found = {
            let mut exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
            let found = exchanges.iter_mut().find(|one| one.key == wanted && !one.used);
            found.map(|one| {
                one.used = true;
                one.number
            })
        };
        let Some(number) = found else { return Err(self.unmatched(asked, wanted)) };
        self.player.answered.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.join(files::exchange(number));
        let Exchange { response, failure, .. } = files::read_document(&path)?;
        let response = response.map(|response| Ok((response.clone(), Playing::new(&response.body, &path)?)));
        Ok(Recorded { response: response.transpose()?, failure })
    }

    fn unmatched(&self, asked: &Asked, wanted: [u8; 32]) -> Error {
        let request = format!("{} {}", asked.method, asked.url);
        let exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        let times = exchanges.iter().filter(|one| one.key == wanted).count();
        let differs = if times > 0 {
            let times = if times == 1 { "once".to_owned() } else { format!("{times} times") };
            vec![format!("`{}` made it {times} in the recording, and makes it once more now", self.name)]
        } else {
            self.nearest(&exchanges, asked)
        };
        Error::Unmatched { request, differs }
    }

    /// What differs from the nearest recording: one that was not told yet rather than one that was.
    fn nearest(&self, exchanges: &[Indexed], asked: &Asked) -> Vec<String> {
        let mut nearest: Option<((u32, bool), u32, Vec<String>)> = None;
        for one in exchanges {
            let path = self.folder.join(files::exchange(one.number));
            // That it could be read was seen when the tape was opened.
            let Ok(differs) = differs(&path, one, asked) else { continue };
            let rank = (differs.weight, one.used);
            if nearest.as_ref().is_none_or(|(best, ..)| rank < *best) {
                nearest = Some((rank, one.number, differs.texts));
            }
        }
        match nearest {
            Some((_, number, differs)) => {
                let nearest = format!("the nearest recording is `{}/{}`", self.name, files::exchange(number));
                std::iter::once(nearest).chain(differs).collect()
            }
            None => vec![format!("`{}` made no request in the recording", self.name)],
        }
    }
}

fn index(folder: &Path, number: u32) -> Result<Indexed, Error> {
    let path = folder.join(files::exchange(number));
    let exchange: Exchange = files::read_document(&path)?;
    let request = &exchange.request;
    let mut hash = Sha256::new();
    let mut source = request.body.source(&path)?;
    std::io::copy(&mut source.reader, &mut hash).map_err(|source| Error::read(&path, source))?;
    if let Some(response) = &exchange.response {
        // That it is there and whole is known before the run depends on it.
        response.body.source(&path)?;
    }
    let body: [u8; 32] = hash.finalize().into();
    let key = key(&request.method, &request.url, &request.headers, body, &request.trailers);
    Ok(Indexed { number, key, body, used: false })
}

fn differs(path: &Path, one: &Indexed, asked: &Asked) -> Result<Differs, Error> {
    let exchange: Exchange = files::read_document(path)?;
    let request = &exchange.request;
    let (method, url): (&str, &str) = (&request.method, &request.url);
    let (headers, trailers): (&Headers, &Headers) = (&request.headers, &request.trailers);
    let mut differs = Differs::of(&Known { method, url, headers, trailers }, asked);
    if one.body != asked.body.digest() {
        let source = request.body.source(path)?;
        differs.body(source.reader, source.bytes, asked);
    }
    Ok(differs)
}
