//! The workers of each organization. They end when it has had no run for a while.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use control::Installations;
use worker::{Compiler, Crew};

use super::losses::Kept;
use crate::problem::Problems;

/// A worker starts in a tenth of a second and holds the memory of its engine: runs that follow each other share it.
const IDLE: Duration = Duration::from_secs(20);

/// A crew for each organization that has had a run.
pub(super) struct Crews {
    compiler: Compiler,
    installations: Arc<Installations>,
    places: Mutex<HashMap<String, Place>>,
}

struct Place {
    crew: Crew,
    users: usize,
    /// Counts who came, so that whoever waits for its rest sees that somebody did.
    came: u64,
}

/// One that uses the workers of an organization.
pub(super) struct Using {
    pub(super) crew: Crew,
    organization: String,
    crews: Arc<Crews>,
}

impl Crews {
    pub(super) fn new(compiler: Compiler, installations: Arc<Installations>) -> Arc<Self> {
        Arc::new(Self { compiler, installations, places: Mutex::default() })
    }

    /// What compiles the components of all of them.
    pub(super) fn compiler(&self) -> &Compiler {
        &self.compiler
    }

    /// The workers of an organization. None is started yet.
    pub(super) fn of(self: &Arc<Self>, organization: &str) -> Result<Using, Problems> {
        let mut places = self.places();
        let place = match places.get_mut(organization) {
            Some(place) => place,
            None => {
                let (installations, organization) =
                    (Arc::clone(&self.installations), organization.to_owned());
                let kept = Arc::new(Kept { installations, organization: organization.clone() });
                let crew = Crew::new(self.compiler.clone(), kept)?;
                places.entry(organization).or_insert(Place { crew, users: 0, came: 0 })
            }
        };
        place.users += 1;
        place.came += 1;
        let (crew, organization) = (place.crew.clone(), organization.to_owned());
        Ok(Using { crew, organization, crews: Arc::clone(self) })
    }

    fn places(&self) -> MutexGuard<'_, HashMap<String, Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The crew, if nobody came since.
    fn idle_since(&self, organization: &str, came: u64) -> Option<Crew> {
        let places = self.places();
        let place = places.get(organization).filter(|place| place.users == 0 && place.came == came);
        place.map(|place| place.crew.clone())
    }
}

impl Drop for Using {
    fn drop(&mut self) {
        let mut places = self.crews.places();
        let Some(place) = places.get_mut(&self.organization) else { return };
        place.users = place.users.saturating_sub(1);
        let came = place.came;
        if place.users > 0 {
            return;
        }
        drop(places);
        // Without a runtime the process ends, and its workers with it.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let (crews, organization) = (Arc::clone(&self.crews), self.organization.clone());
        runtime.spawn(async move {
            tokio::time::sleep(IDLE).await;
            if let Some(crew) = crews.idle_since(&organization, came) {
                crew.rest().await;
            }
        });
    }
}
