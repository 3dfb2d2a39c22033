//! Collects what instances used of their limits, however they end.

use crate::connector::{Budget, Reader, Transformer, Writer};
use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

/// By role; of several instances of a role the highest figures.
#[derive(Debug, Default)]
pub(super) struct Budgets {
    by_role: Mutex<BTreeMap<String, Budget>>,
}

impl Budgets {
    pub(super) fn note(&self, role: &str, budget: Budget) {
        let mut by_role = self.by_role.lock().unwrap_or_else(PoisonError::into_inner);
        let known = by_role.entry(role.to_owned()).or_default();
        for usage in budget {
            match known.iter_mut().find(|one| one.limit == usage.limit) {
                Some(one) => one.used = one.used.max(usage.used),
                None => known.push(usage),
            }
        }
    }

    pub(super) fn all(&self) -> BTreeMap<String, Budget> {
        self.by_role.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What has a budget.
pub(super) trait Instance: Send {
    fn budget(&self) -> Budget;
}

impl Instance for dyn Reader {
    fn budget(&self) -> Budget {
        Reader::budget(self)
    }
}

impl Instance for dyn Writer {
    fn budget(&self) -> Budget {
        Writer::budget(self)
    }
}

impl Instance for dyn Transformer {
    fn budget(&self) -> Budget {
        Transformer::budget(self)
    }
}

/// An instance whose budget is noted when it is dropped: also when its task is.
pub(super) struct Metered<I: Instance + ?Sized> {
    instance: Box<I>,
    role: String,
    budgets: Arc<Budgets>,
}

impl<I: Instance + ?Sized> Metered<I> {
    pub(super) fn new(instance: Box<I>, role: impl Into<String>, budgets: &Arc<Budgets>) -> Self {
        Self { instance, role: role.into(), budgets: Arc::clone(budgets) }
    }
}

impl<I: Instance + ?Sized> Deref for Metered<I> {
    type Target = I;

    fn deref(&self) -> &I {
        &self.instance
    }
}

impl<I: Instance + ?Sized> DerefMut for Metered<I> {
    fn deref_mut(&mut self) -> &mut I {
        &mut self.instance
    }
}

impl<I: Instance + ?Sized> Drop for Metered<I> {
    fn drop(&mut self) {
        self.budgets.note(&self.role, self.instance.budget());
    }
}
