//! Tables that are made once and handed to whoever needs the same again: a server makes pictures of few sizes into
//! pictures of fewer.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The values that were asked for lately, no more than a number of bytes of them.
#[derive(Debug)]
pub(crate) struct Shared<K, V> {
    kept: Mutex<Kept<K, V>>,
    most: usize,
}

#[derive(Debug)]
struct Kept<K, V> {
    values: HashMap<K, Entry<V>>,
    bytes: usize,
    /// Counts askings; an entry remembers its last.
    now: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: Arc<V>,
    bytes: usize,
    last: u64,
}

impl<K: Eq + Hash + Copy, V> Shared<K, V> {
    /// Keeps at most `most` bytes.
    pub(crate) fn new(most: usize) -> Self {
        Self { kept: Mutex::new(Kept { values: HashMap::new(), bytes: 0, now: 0 }), most }
    }

    /// The value of `key`, made if it is not there; `bytes` says what it takes.
    pub(crate) fn get(&self, key: K, bytes: impl FnOnce(&V) -> usize, make: impl FnOnce() -> V) -> Arc<V> {
        if let Some(value) = self.lock().find(&key) {
            return value;
        }
        // Made without the lock: a table may take a millisecond. Two threads may make the same; one of them is kept.
        let value = make();
        let bytes = bytes(&value);
        let mut kept = self.lock();
        if let Some(value) = kept.find(&key) {
            return value;
        }
        let value = Arc::new(value);
        // What would drive everything else out is not worth keeping.
        if bytes <= self.most / 4 {
            kept.keep(key, Arc::clone(&value), bytes, self.most);
        }
        value
    }

    fn lock(&self) -> MutexGuard<'_, Kept<K, V>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash + Copy, V> Kept<K, V> {
    fn find(&mut self, key: &K) -> Option<Arc<V>> {
        self.now += 1;
        let now = self.now;
        self.values.get_mut(key).map(|entry| {
            entry.last = now;
            Arc::clone(&entry.value)
        })
    }

    fn keep(&mut self, key: K, value: Arc<V>, bytes: usize, most: usize) {
        self.bytes += bytes;
        self.values.insert(key, Entry { value, bytes, last: self.now });
        while self.bytes > most
            && let Some(oldest) = self.values.iter().min_by_key(|(_, entry)| entry.last).map(|(key, _)| *key)
            && let Some(gone) = self.values.remove(&oldest)
        {
            self.bytes -= gone.bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_value_is_made_once_and_another_is_another() {
        let shared = Shared::new(100);
        let value = shared.get(1, |_| 10, || 7);
        assert!(Arc::ptr_eq(&value, &shared.get(1, |_| 10, || panic!("made again"))));
        assert!(!Arc::ptr_eq(&value, &shared.get(2, |_| 10, || 7)));
    }

    #[test]
    fn what_is_kept_is_bounded_and_the_oldest_goes_first() {
        let shared = Shared::new(100);
        let often = shared.get(0, |_| 20, || 0);
        for key in 1..50 {
            shared.get(key, |_| 20, || key);
            assert!(Arc::ptr_eq(&often, &shared.get(0, |_| 20, || -1)), "{key}");
            assert!(shared.lock().bytes <= 100);
        }
        let large = shared.get(99, |_| 26, || 1);
        assert!(!Arc::ptr_eq(&large, &shared.get(99, |_| 26, || 1)));
        let sum: usize = shared.lock().values.values().map(|entry| entry.bytes).sum();
        assert_eq!(sum, shared.lock().bytes);
    }
}
