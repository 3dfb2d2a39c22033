//! The secrets of one connection while it runs, and what was found of them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use crate::found::Needles;
use crate::hit::{Count, Encoding, Hit, Place};
use crate::needle::needles;
use crate::scrubber::{Scrubber, blanked, blanked_text};
use crate::short::{SHORT_BYTES_MIN, Short};
use crate::stream::Stream;

/// Values of so many bytes are looked for everywhere, shorter ones where they stand as words. Whoever enters a shorter one is
/// to be warned.
pub const VALUE_BYTES_MIN: usize = 12;

/// The secrets of one connection while it runs, and what was found of them. Clones share both.
///
/// Tokens are refreshed in mid-run: what was added stays, as the old one may come back still.
#[derive(Clone)]
pub struct Watch {
    shared: Arc<Shared>,
}

struct Shared {
    secrets: Mutex<Secrets>,
    /// How often something was added.
    additions: AtomicU64,
    counts: Mutex<Counts>,
}

type Counts = BTreeMap<(Arc<str>, Place, Encoding), u64>;

struct Secrets {
    known: Vec<Secret>,
    /// Of all.
    scrubber: Scrubber,
    /// Of those that are looked for in responses too.
    of_responses: Scrubber,
}

struct Secret {
    credential: Arc<str>,
    value: Zeroizing<Vec<u8>>,
    /// The connector has it.
    is_held: bool,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self::new()
    }
}

impl Watch {
    /// Watches for nothing yet.
    #[must_use]
    pub fn new() -> Self {
        let (all, of_responses) = (scrubber(&[]), scrubber(&[]));
        let secrets = Mutex::new(Secrets { known: Vec::new(), scrubber: all, of_responses });
        Self { shared: Arc::new(Shared { secrets, additions: AtomicU64::new(0), counts: Mutex::default() }) }
    }

    /// From now on watches for this value as well. To be called before the value leaves the host for the first time, with
    /// each value that is sent (so not with what only makes one, such as a private key), as it is sent.
    pub fn add(&self, credential: &str, value: &[u8]) {
        self.watch_for(credential, value, false);
    }

    /// As [`Self::add`], for a value that its connector holds itself. It is looked for in all that the connector gives, and not
    /// in what it is answered: whoever speaks a protocol that the host cannot speak has to hear what is said in it.
    pub fn add_held(&self, credential: &str, value: &[u8]) {
        self.watch_for(credential, value, true);
    }

    fn watch_for(&self, credential: &str, value: &[u8], is_held: bool) {
        let mut secrets = self.secrets();
        let is_known =
            |one: &Secret| *one.value == value && &*one.credential == credential && one.is_held == is_held;
        if value.len() < SHORT_BYTES_MIN || secrets.known.iter().any(is_known) {
            return;
        }
        let (credential, value) = (credential.into(), Zeroizing::new(value.to_vec()));
        secrets.known.push(Secret { credential, value, is_held });
        let all: Vec<&Secret> = secrets.known.iter().collect();
        let of_responses: Vec<&Secret> = secrets.known.iter().filter(|one| !one.is_held).collect();
        let (all, of_responses) = (scrubber(&all), scrubber(&of_responses));
        (secrets.scrubber, secrets.of_responses) = (all, of_responses);
        self.shared.additions.fetch_add(1, Ordering::Release);
    }

    /// How often something was added: while that stays, what looks for all values stays the same.
    pub(crate) fn additions(&self) -> u64 {
        self.shared.additions.load(Ordering::Acquire)
    }

    /// What looks for all values that were added so far.
    #[must_use]
    pub fn current(&self) -> Scrubber {
        self.secrets().scrubber.clone()
    }

    /// What looks for all values that were added so far and are looked for in this place.
    #[must_use]
    pub fn at(&self, place: Place) -> Scrubber {
        let secrets = self.secrets();
        match place {
            Place::Header | Place::Body => secrets.of_responses.clone(),
            Place::Log | Place::Message | Place::Record | Place::Checkpoint => secrets.scrubber.clone(),
        }
    }

    /// Scrubs what comes in pieces, and counts.
    #[must_use]
    pub fn stream(&self, place: Place) -> Stream {
        Stream::new(self.clone(), place)
    }

    /// A line without secrets; what was found is counted.
    #[must_use]
    pub fn text<'a>(&self, place: Place, text: &'a str) -> Cow<'a, str> {
        blanked_text(text, &self.line(place, text.as_bytes()))
    }

    /// The value of a header without secrets; what was found is counted. None: there was nothing.
    #[must_use]
    pub fn header(&self, value: &[u8]) -> Option<Vec<u8>> {
        let hits = self.line(Place::Header, value);
        (!hits.is_empty()).then(|| blanked(value, &hits))
    }

    /// Bytes without secrets of 12 bytes and more; what was found is counted. None: there was nothing.
    #[must_use]
    pub fn blank(&self, place: Place, bytes: &[u8]) -> Option<Vec<u8>> {
        let hits = self.find(place, bytes);
        (!hits.is_empty()).then(|| blanked(bytes, &hits))
    }

    /// The secrets of 12 bytes and more in what must not be changed; they are counted.
    #[must_use]
    pub fn find(&self, place: Place, bytes: &[u8]) -> Vec<Hit> {
        let hits = self.at(place).hits(bytes);
        self.count(place, &hits);
        hits
    }

    /// Counts what was found with [`Self::current`] or [`Self::at`].
    pub fn count(&self, place: Place, hits: &[Hit]) {
        if hits.is_empty() {
            return;
        }
        let mut counts = self.shared.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for hit in hits {
            *counts.entry((Arc::clone(&hit.credential), place, hit.encoding)).or_default() += 1;
        }
    }

    /// What was found so far, by credential and place.
    #[must_use]
    pub fn hits(&self) -> Vec<Count> {
        let counts = self.shared.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |((credential, place, encoding), count): (&(Arc<str>, Place, Encoding), &u64)| Count {
            credential: Arc::clone(credential),
            place: *place,
            encoding: *encoding,
            count: *count,
        };
        counts.iter().map(count).collect()
    }

    fn line(&self, place: Place, text: &[u8]) -> Vec<Hit> {
        let hits = self.at(place).hits_in_line(text);
        self.count(place, &hits);
        hits
    }

    fn secrets(&self) -> MutexGuard<'_, Secrets> {
        self.shared.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn scrubber(secrets: &[&Secret]) -> Scrubber {
    let (long, short): (Vec<&Secret>, Vec<&Secret>) =
        secrets.iter().copied().partition(|secret| secret.value.len() >= VALUE_BYTES_MIN);
    let all = long.into_iter().flat_map(|secret| needles(&secret.credential, &secret.value));
    let short = short
        .into_iter()
        .map(|secret| Short { credential: Arc::clone(&secret.credential), value: secret.value.clone() });
    Scrubber::new(Needles::new(all.collect()), short.collect())
}
