//! Rights that can become fewer while they are used, and never more.

use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};

use crate::gate::{Decision, Gate, RequestLine};

/// What is allowed by the rights that a client began with, and by those of now.
///
/// Whoever narrows them has what goes on judged anew: [`Revoker::rejudge`](crate::Revoker::rejudge).
pub struct Narrowing {
    first: Arc<dyn Gate>,
    /// None: those of the beginning.
    now: RwLock<Option<Arc<dyn Gate>>>,
}

impl Narrowing {
    /// These rights, from the beginning.
    #[must_use]
    pub fn new(first: Arc<dyn Gate>) -> Self {
        Self { first, now: RwLock::new(None) }
    }

    /// From now on only what these rights allow too.
    pub fn narrow(&self, to: Arc<dyn Gate>) {
        *self.now.write().unwrap_or_else(PoisonError::into_inner) = Some(to);
    }

    fn both(&self, judge: impl Fn(&dyn Gate) -> Decision) -> Decision {
        match judge(&*self.first) {
            Decision::Allow { rule } => {
                let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
                now.as_deref().map_or(Decision::Allow { rule }, judge)
            }
            denied => denied,
        }
    }
}

impl Gate for Narrowing {
    fn request(&self, line: &RequestLine<'_>) -> Decision {
        self.both(|gate| gate.request(line))
    }

    fn address(&self, address: IpAddr, port: u16) -> Decision {
        self.both(|gate| gate.address(address, port))
    }

    fn own_address(&self, address: IpAddr, port: u16) -> Decision {
        self.both(|gate| gate.own_address(address, port))
    }

    /// As one of either: what is told late tells less.
    fn is_one_of_many(&self, address: IpAddr, port: u16) -> bool {
        let now = self.now.read().unwrap_or_else(PoisonError::into_inner);
        self.first.is_one_of_many(address, port)
            || now.as_deref().is_some_and(|now| now.is_one_of_many(address, port))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::Arc;

    use super::Narrowing;
    use crate::gate::{Decision, Gate, RequestLine};

    const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const LINE: RequestLine<'_> =
        RequestLine { scheme: "https", host: "api.test", port: 443, method: "GET", path: "/" };

    /// Answers each question with yes but this one.
    struct But(&'static str);

    impl But {
        fn answer(&self, question: &str) -> Decision {
            if self.0 == question {
                let (code, reason) = ("CD0202", "it was taken back".to_owned());
                return Decision::Deny { code, reason, line_to_add: None };
            }
            Decision::Allow { rule: format!("all but {}", self.0) }
        }
    }

    impl Gate for But {
        fn request(&self, _: &RequestLine<'_>) -> Decision {
            self.answer("requests")
        }

        fn address(&self, _: IpAddr, _: u16) -> Decision {
            self.answer("addresses")
        }

        fn own_address(&self, _: IpAddr, _: u16) -> Decision {
            self.answer("own addresses")
        }

        fn is_one_of_many(&self, _: IpAddr, _: u16) -> bool {
            self.0 == "networks"
        }
    }

    const QUESTIONS: [&str; 3] = ["requests", "addresses", "own addresses"];

    fn asked(rights: &Narrowing, question: &str) -> Decision {
        match question {
            "requests" => rights.request(&LINE),
            "addresses" => rights.address(ADDRESS, 443),
            _ => rights.own_address(ADDRESS, 443),
        }
    }

    #[test]
    fn each_question_is_answered_by_both_and_a_no_of_either_is_a_no() {
        for denied in QUESTIONS {
            let at_first = Narrowing::new(Arc::new(But(denied)));
            let later = Narrowing::new(Arc::new(But("nothing")));
            let wider = Narrowing::new(Arc::new(But(denied)));
            later.narrow(Arc::new(But(denied)));
            wider.narrow(Arc::new(But("nothing")));
            for rights in [at_first, later, wider] {
                for question in QUESTIONS {
                    let is_denied = matches!(asked(&rights, question), Decision::Deny { code: "CD0202", .. });
                    assert_eq!(is_denied, question == denied, "{question}, where {denied} are denied");
                }
            }
        }
    }

    #[test]
    fn the_rule_that_is_told_is_the_one_of_now() {
        let rights = Narrowing::new(Arc::new(But("this")));
        assert_eq!(rights.request(&LINE), Decision::Allow { rule: "all but this".to_owned() });
        for now in ["that", "others"] {
            rights.narrow(Arc::new(But(now)));
            assert_eq!(rights.request(&LINE), Decision::Allow { rule: format!("all but {now}") });
        }
    }

    #[test]
    fn an_address_that_is_one_of_many_by_either_is_told_late() {
        const MANY: &str = "networks";
        for (first, now, is_late) in
            [("x", None, false), (MANY, None, true), (MANY, Some("x"), true), ("x", Some(MANY), true)]
        {
            let rights = Narrowing::new(Arc::new(But(first)));
            if let Some(now) = now {
                rights.narrow(Arc::new(But(now)));
            }
            assert_eq!(rights.is_one_of_many(ADDRESS, 443), is_late, "{first}, {now:?}");
        }
    }
}
