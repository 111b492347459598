//! Names to addresses.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

/// Looks names up; a trait so that tests can answer.
pub trait Resolver: Send + Sync + 'static {
    /// Addresses of a host name, best first. Never asked for an address.
    fn resolve(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// The machine's resolver, with answers kept for a short time: connections are reused anyway, this is for storms.
#[derive(Debug, Default, Clone)]
pub struct SystemResolver {
    kept: Arc<Mutex<HashMap<String, Kept>>>,
}

#[derive(Debug)]
struct Kept {
    until: Instant,
    /// `None`: there was no answer.
    addresses: Option<Vec<IpAddr>>,
}

/// How long addresses are kept, how long the lack of them, and for how many names.
const GOOD: Duration = Duration::from_secs(10);
const BAD: Duration = Duration::from_secs(1);
const NAMES: usize = 1024;

impl SystemResolver {
    fn recall(&self, host: &str, now: Instant) -> Option<io::Result<Vec<IpAddr>>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = kept.get(host).filter(|entry| entry.until > now)?;
        Some(entry.addresses.clone().ok_or_else(|| io::Error::from(io::ErrorKind::NotFound)))
    }

    fn keep(&self, host: String, answer: &io::Result<Vec<IpAddr>>, now: Instant) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= NAMES {
            kept.retain(|_, entry| entry.until > now);
        }
        if kept.len() < NAMES {
            let time = if answer.is_ok() { GOOD } else { BAD };
            kept.insert(host, Kept { until: now + time, addresses: answer.as_ref().ok().cloned() });
        }
    }
}

impl Resolver for SystemResolver {
    fn resolve(&self, host: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        if let Some(answer) = self.recall(&host, Instant::now()) {
            return std::future::ready(answer).boxed();
        }
        let this = self.clone();
        async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await;
            let answer = found.map(|addresses| addresses.map(|address| address.ip()).collect());
            this.keep(host, &answer, Instant::now());
            answer
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_kept_for_their_time_and_not_without_bound() {
        let (resolver, now) = (SystemResolver::default(), Instant::now());
        let answer = Ok(vec!["192.0.2.1".parse().unwrap()]);
        resolver.keep("good".to_owned(), &answer, now);
        resolver.keep("bad".to_owned(), &Err(io::Error::from(io::ErrorKind::Other)), now);
        assert_eq!(resolver.recall("good", now).unwrap().unwrap(), *answer.as_ref().unwrap());
        assert!(resolver.recall("bad", now).unwrap().is_err());
        assert!(resolver.recall("bad", now + BAD).is_none());
        assert!(resolver.recall("good", now + BAD).is_some());
        assert!(resolver.recall("good", now + GOOD).is_none());
        for i in 0..3 * NAMES {
            resolver.keep(format!("{i}"), &answer, now);
        }
        assert_eq!(resolver.kept.lock().unwrap().len(), NAMES);
        resolver.keep("later".to_owned(), &answer, now + GOOD);
        assert_eq!(resolver.kept.lock().unwrap().len(), 1);
    }
}
