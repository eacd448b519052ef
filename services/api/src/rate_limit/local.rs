//! The count that this process keeps for itself.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use super::{Allowance, Refused};

/// With more clients than this, those that have their whole allowance are forgotten.
const MAX_CLIENTS: usize = 10_000;

/// When each client will have its whole allowance again; those that are not here have it.
#[derive(Default)]
pub(super) struct Local(Mutex<HashMap<String, Instant>>);

impl Local {
    pub(super) fn admit(&self, client: &str, allowance: Allowance, count: NonZeroU32) -> Result<(), Refused> {
        let now = Instant::now();
        let mut whole_at = self.lock();
        if whole_at.len() > MAX_CLIENTS {
            whole_at.retain(|_, at| *at > now);
        }
        let then = whole_at.get(client).map_or(now, |at| (*at).max(now)) + allowance.time_of(count);
        let wait = then.saturating_duration_since(now + allowance.window);
        if !wait.is_zero() {
            return Err(Refused::Until(wait));
        }
        whole_at.insert(client.to_owned(), then);
        Ok(())
    }

    pub(super) fn give_back(&self, client: &str, allowance: Allowance, count: NonZeroU32) {
        if let Some(at) = self.lock().get_mut(client) {
            // A moment that this machine's clock does not reach is long past.
            *at = at.checked_sub(allowance.time_of(count)).unwrap_or_else(Instant::now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
