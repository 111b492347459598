//! Shadow mode: a sample of requests is sent to another server of the same API, too, and what the two answer is compared.
//! It is for the days before a change of servers. The real answer has been made by then and waits for nothing here: the
//! queue, the memory and the requests under way are bounded, beyond the bounds samples are dropped and counted, and all of
//! it happens on threads of the lowest priority.

mod ask;
mod compare;
mod exchange;
mod pixels;
mod sampler;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc};
use url::Url;

use crate::budget::MemoryBudget;
use crate::codecs::Limits;
use crate::telemetry::events;

pub use exchange::{BodyCopy, Exchange};

use ask::{Asker, Unanswered};
use compare::Outcome;
use sampler::Sampler;

/// The header that marks what is sent here; a request that carries it is never sent on.
pub const MARK: &str = "phasor-shadow";

/// The settings.
#[derive(Debug, Clone)]
pub struct Config {
    /// The other server; path and query of a request are put behind it.
    pub url: Url,
    /// The share of requests that are sampled, more than 0, at most 1.
    pub share: f64,
    /// Longest time that the other server may take.
    pub timeout: Duration,
    /// Samples that may wait.
    pub queue: usize,
    /// Requests under way at once.
    pub at_once: usize,
    /// Most bytes of a body or an answer.
    pub max_bytes: usize,
}

impl Config {
    /// The settings for a server and a share.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn new(url: &str, share: f64) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|error| format!("-shadow: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || url.query().is_some() {
            return Err("-shadow: a URL like http://host:port".to_owned());
        }
        if !(share > 0.0 && share <= 1.0) {
            return Err(format!("-shadow-share {share}: more than 0, at most 1"));
        }
        let timeout = Duration::from_secs(30);
        Ok(Self { url, share, timeout, queue: 64, at_once: 4, max_bytes: 8 << 20 })
    }
}

/// The way in.
#[derive(Debug)]
pub struct Shadow {
    sampler: Sampler,
    budget: MemoryBudget,
    max_bytes: usize,
    queue: mpsc::Sender<Exchange>,
}

impl Shadow {
    /// Starts the threads. `budget` is all the memory that samples hold and that comparing them takes.
    ///
    /// # Errors
    /// When the system gives no thread, or there is no TLS to be had.
    pub fn start(config: Config, budget: MemoryBudget, limits: Limits) -> std::io::Result<Self> {
        // Answers are outputs: what may be written may be read here; memory is bounded by the budget.
        let limits = Limits { pixels: limits.output_pixels, ..limits };
        let (queue, mut waiting) = mpsc::channel::<Exchange>(config.queue.max(1));
        let places = Arc::new(Semaphore::new(config.at_once.max(1)));
        let (sampler, max_bytes) = (Sampler::new(config.share), config.max_bytes);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            // Names are resolved and pictures compared there.
            .max_blocking_threads(2)
            .on_thread_start(last_in_line)
            .build()?;
        let asker = Arc::new(Asker::new(config)?);
        std::thread::Builder::new().name("shadow".to_owned()).spawn(move || {
            last_in_line();
            runtime.block_on(async move {
                while let Some(exchange) = waiting.recv().await {
                    let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
                    let asker = Arc::clone(&asker);
                    tokio::spawn(async move {
                        let _place = place;
                        settle(&asker, exchange, limits).await;
                    });
                }
            });
        })?;
        Ok(Self { sampler, budget, max_bytes, queue })
    }

    /// Whether the next request is one of the sample.
    pub fn picks(&self) -> bool {
        self.sampler.picks()
    }

    /// Room for the copy of a body.
    pub fn body_copy(&self) -> BodyCopy {
        BodyCopy::new(&self.budget, self.max_bytes)
    }

    /// Hands in a request with its answer. Never waits: it is dropped, and counted, where there is no room for it.
    pub fn offer(&self, mut exchange: Exchange) {
        let too_large = exchange.answer.len() > self.max_bytes || exchange.body.as_ref().is_some_and(BodyCopy::is_cut);
        if too_large {
            events::shadowed(Outcome::TooLarge.name());
            return;
        }
        let starved = exchange.body.as_ref().is_some_and(BodyCopy::is_starved);
        exchange.charge = self.budget.try_charge(exchange.answer.len() as u64);
        if starved || exchange.charge.is_none() || self.queue.try_send(exchange).is_err() {
            events::shadowed(Outcome::Dropped.name());
        }
    }
}

/// Asks the other server, compares, and tells.
async fn settle(asker: &Asker, mut exchange: Exchange, limits: Limits) {
    let outcome = match asker.ask(&mut exchange).await {
        Err(Unanswered::Failed(reason)) => {
            tracing::debug!(reason, "shadow not answered");
            Outcome::Failed
        }
        Err(Unanswered::Timeout) => Outcome::Timeout,
        Err(Unanswered::TooLarge) => Outcome::TooLarge,
        Err(Unanswered::NoMemory) => Outcome::Dropped,
        Ok(theirs) => {
            let shown = std::mem::take(&mut exchange.shown);
            let compared = tokio::task::spawn_blocking(move || compare::compare(exchange, &theirs, &limits)).await;
            // A decoder that panics on the other server's picture says no more than that it cannot read it.
            let outcome = compared.unwrap_or(Outcome::Unreadable);
            outcome.tell(&shown);
            outcome
        }
    };
    events::shadowed(outcome.name());
}

/// Puts this thread behind all others of the machine.
fn last_in_line() {
    // Elsewhere the call is about the whole process.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, 19);
}
