//! The end of a client's right to be connected, or of a part of it, whatever it is doing.
//!
//! Each request is known here from before it is judged until it ends. So whoever takes a right back finds every request that
//! was judged by it: one that is not known yet will be judged by what holds then.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};

use http::Method;
use tokio_util::sync::CancellationToken;

use crate::gate::Decision;
use crate::lease::Tasks;
use crate::target::{Origin, Target};
use crate::{Error, Gate, Result, this_machine};

/// Why a client may not be connected any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revocation {
    /// What was taken back, in words for the user.
    pub what: String,
    /// What would allow it again: a command, mostly.
    pub to_allow: String,
}

/// Takes rights back from one client. Holding it keeps nothing alive.
#[derive(Clone)]
pub struct Revoker(pub(crate) Arc<Standing>);

impl Revoker {
    /// Closes every connection of the client at once, also under a response that is being read, and refuses what it asks
    /// from now on. There is no way back: a new grant makes a new client. Says how many requests were cut.
    pub fn revoke(&self, why: Revocation) -> usize {
        // Whoever came first has said why.
        let _ = self.0.why.set(why);
        let cut = self.0.under_way().iter().filter(|passage| !passage.cut.is_cancelled()).count();
        self.0.revoked.cancel();
        cut
    }

    /// Asks the gate anew about every request that goes on, and cuts what it would not allow now. Over HTTP/2 the connection
    /// goes with it, so that others on it fail as those whose connection is lost. Says how many requests were cut.
    pub fn rejudge(&self) -> usize {
        let denied = |passage: &&Arc<Passage>| !passage.cut.is_cancelled() && passage.judged().is_err();
        let passages = self.0.under_way();
        let cut: Vec<&Arc<Passage>> = passages.iter().filter(denied).collect();
        cut.iter().for_each(|passage| passage.cut());
        cut.len()
    }
}

/// The right of one client to be connected, and the requests that go on under it.
pub(crate) struct Standing {
    gate: Arc<dyn Gate>,
    /// All that the client does ends with it.
    pub(crate) revoked: CancellationToken,
    why: OnceLock<Revocation>,
    passages: Mutex<Vec<Weak<Passage>>>,
}

impl Standing {
    pub(crate) fn new(gate: Arc<dyn Gate>) -> Arc<Self> {
        let (revoked, why, passages) = (CancellationToken::new(), OnceLock::new(), Mutex::default());
        Arc::new(Self { gate, revoked, why, passages })
    }

    /// A request begins.
    pub(crate) fn open(self: &Arc<Self>) -> Arc<Passage> {
        let passage = Arc::new(Passage {
            standing: Arc::clone(self),
            cut: self.revoked.child_token(),
            line: OnceLock::new(),
            way: Mutex::default(),
        });
        let mut passages = self.passages();
        if passages.len() == passages.capacity() {
            passages.retain(|known| known.strong_count() > 0);
        }
        passages.push(Arc::downgrade(&passage));
        passage
    }

    fn passages(&self) -> MutexGuard<'_, Vec<Weak<Passage>>> {
        self.passages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn under_way(&self) -> Vec<Arc<Passage>> {
        self.passages().iter().filter_map(Weak::upgrade).collect()
    }
}

/// One request while it goes on.
pub(crate) struct Passage {
    standing: Arc<Standing>,
    /// Ends it, and nothing else of its client.
    pub(crate) cut: CancellationToken,
    line: OnceLock<(Method, Target)>,
    /// Over which connection it goes.
    way: Mutex<Option<(SocketAddr, Tasks)>>,
}

impl Passage {
    /// May it be made? Says by which rule.
    pub(crate) fn judge(&self, method: &Method, target: &Target) -> Result<String> {
        let _ = self.line.set((method.clone(), target.clone()));
        judge_request(&*self.standing.gate, method, target)
    }

    /// It goes over this connection. The address was judged before, but what is taken back meanwhile did not find it.
    pub(crate) fn goes_over(&self, origin: &Origin, address: SocketAddr, connection: &Tasks) -> Result<()> {
        *self.way.lock().unwrap_or_else(PoisonError::into_inner) = Some((address, connection.clone()));
        judge_address(&*self.standing.gate, origin, address)
    }

    /// Why it was cut, where it was.
    pub(crate) fn ended(&self) -> Option<Error> {
        self.cut.is_cancelled().then(|| self.why())
    }

    /// Why it was cut.
    pub(crate) fn why(&self) -> Error {
        if !self.standing.revoked.is_cancelled()
            && let Err(denied) = self.judged()
        {
            return denied;
        }
        let Revocation { what, to_allow } = self.standing.why.get().cloned().unwrap_or_default();
        Error::Revoked { what, to_allow }
    }

    /// Would the gate allow what it is and where it goes?
    fn judged(&self) -> Result<()> {
        let Some((method, target)) = self.line.get() else { return Ok(()) };
        judge_request(&*self.standing.gate, method, target)?;
        match self.way().as_ref() {
            Some((address, _)) => judge_address(&*self.standing.gate, &target.origin, *address),
            None => Ok(()),
        }
    }

    fn cut(&self) {
        self.cut.cancel();
        if let Some((_, connection)) = self.way().as_ref() {
            connection.end();
        }
    }

    fn way(&self) -> MutexGuard<'_, Option<(SocketAddr, Tasks)>> {
        self.way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn judge_request(gate: &dyn Gate, method: &Method, target: &Target) -> Result<String> {
    match gate.request(&target.line(method)) {
        Decision::Allow { rule } => Ok(rule),
        Decision::Deny { code, reason, line_to_add } => {
            let target = format!("{method} {}", target.display());
            Err(Error::RequestDenied { code, target, reason, line_to_add })
        }
    }
}

/// Asks the gate about one address.
pub(crate) fn judge_address(gate: &dyn Gate, origin: &Origin, address: SocketAddr) -> Result<()> {
    allowed(gate.address(address.ip(), address.port()), origin, address)?;
    if this_machine::has(address.ip()) {
        allowed(gate.own_address(address.ip(), address.port()), origin, address)?;
    }
    Ok(())
}

fn allowed(decision: Decision, origin: &Origin, address: SocketAddr) -> Result<()> {
    match decision {
        Decision::Allow { .. } => Ok(()),
        Decision::Deny { code, reason, line_to_add } => Err(Error::AddressDenied {
            code,
            host: origin.host.as_ref().to_owned(),
            address,
            reason,
            line_to_add,
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;

    use super::Standing;
    use crate::gate::{Decision, Gate, RequestLine};

    struct All;

    impl Gate for All {
        fn request(&self, _: &RequestLine<'_>) -> Decision {
            Decision::Allow { rule: String::new() }
        }

        fn address(&self, _: IpAddr, _: u16) -> Decision {
            Decision::Allow { rule: String::new() }
        }

        fn own_address(&self, _: IpAddr, _: u16) -> Decision {
            Decision::Allow { rule: String::new() }
        }
    }

    #[test]
    fn what_has_ended_takes_no_room_and_what_goes_on_stays_known() {
        let standing = Standing::new(Arc::new(All));
        let held: Vec<_> = (0..10).map(|_| standing.open()).collect();
        (0..10_000).for_each(|_| drop(standing.open()));
        assert_eq!(standing.under_way().len(), held.len());
        assert!(standing.passages().len() < 100, "{}", standing.passages().len());
    }
}
