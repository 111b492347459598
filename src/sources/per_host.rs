//! How many fetches one host may have at a time, so that a slow one does not take every slot.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Slots of every host that is being fetched from; a host without fetches is forgotten.
#[derive(Debug)]
pub(super) struct PerHost {
    slots: u32,
    hosts: Arc<Mutex<HashMap<String, Arc<Semaphore>>>>,
}

/// One slot of a host, or a place in the queue for one.
#[derive(Debug)]
pub(super) struct Slot {
    permit: Option<OwnedSemaphorePermit>,
    semaphore: Option<Arc<Semaphore>>,
    host: String,
    hosts: Arc<Mutex<HashMap<String, Arc<Semaphore>>>>,
}

impl PerHost {
    pub(super) fn new(slots: u32) -> Self {
        Self { slots, hosts: Arc::default() }
    }

    /// Waits for a slot.
    pub(super) async fn acquire(&self, host: String) -> Slot {
        let semaphore = {
            let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
            let slots = usize::try_from(self.slots).unwrap_or(Semaphore::MAX_PERMITS);
            Arc::clone(hosts.entry(host.clone()).or_insert_with(|| Arc::new(Semaphore::new(slots))))
        };
        // Made before the wait, so that a fetch given up while waiting cleans up as well.
        let mut slot =
            Slot { permit: None, semaphore: Some(Arc::clone(&semaphore)), host, hosts: Arc::clone(&self.hosts) };
        // Fails only for a closed semaphore; these are never closed.
        slot.permit = semaphore.acquire_owned().await.ok();
        slot
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.permit = None;
        self.semaphore = None;
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if hosts.get(&self.host).is_some_and(|semaphore| Arc::strong_count(semaphore) == 1) {
            hosts.remove(&self.host);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_full_host_waits_and_others_do_not() {
        let hosts = PerHost::new(2);
        let soon = |host: &str| tokio::time::timeout(Duration::from_millis(20), hosts.acquire(host.to_owned()));
        let (a, b) = (soon("slow").await.unwrap(), soon("slow").await.unwrap());
        assert!(soon("slow").await.is_err());
        assert!(soon("other").await.is_ok());
        drop(a);
        let c = soon("slow").await.unwrap();
        assert_eq!(hosts.hosts.lock().unwrap().len(), 1);
        drop((b, c));
        assert_eq!(hosts.hosts.lock().unwrap().len(), 0);
    }
}
