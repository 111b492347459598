//! The server's life: starting, running, draining; and what ends it.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use super::Signals;

use crate::telemetry::events;

/// Where the server stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    /// Not listening yet.
    Starting,
    /// Serving.
    Running,
    /// A stop was asked for; what is in flight is finished.
    Draining,
}

/// The state, a heartbeat of the event loop, and the request to stop.
#[derive(Debug)]
pub(super) struct Lifetime {
    state: AtomicU8,
    started: Instant,
    last_turn_millis: AtomicU64,
    stop: Notify,
    stop_asked: AtomicBool,
}

impl Lifetime {
    pub(super) fn new() -> Self {
        Self {
            state: AtomicU8::new(0),
            started: Instant::now(),
            last_turn_millis: AtomicU64::new(0),
            stop: Notify::new(),
            stop_asked: AtomicBool::new(false),
        }
    }

    pub(super) fn state(&self) -> Life {
        match self.state.load(Ordering::Acquire) {
            0 => Life::Starting,
            1 => Life::Running,
            _ => Life::Draining,
        }
    }

    pub(super) fn set(&self, life: Life) {
        self.state.store(life as u8, Ordering::Release);
    }

    pub(super) fn uptime(&self) -> Duration {
        self.started.elapsed()
    }

    fn beat(&self) {
        let millis = u64::try_from(self.uptime().as_millis()).unwrap_or(u64::MAX);
        self.last_turn_millis.store(millis, Ordering::Relaxed);
    }

    /// How long ago the event loop last turned.
    pub(super) fn last_turn(&self) -> Duration {
        self.uptime().saturating_sub(Duration::from_millis(self.last_turn_millis.load(Ordering::Relaxed)))
    }

    /// Asks the server to stop, as a signal does.
    pub(super) fn ask_to_stop(&self) {
        self.stop_asked.store(true, Ordering::Release);
        self.stop.notify_one();
    }
}

/// Beats once a second, for ever.
pub(super) async fn heartbeat(life: &Lifetime) {
    loop {
        life.beat();
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// SIGTERM and SIGINT, from the moment this is made: made before the port is open, so that nobody who has seen the
/// server answer can kill it with a signal that should stop it gracefully.
pub(super) struct StopSignals(Option<(Signal, Signal)>);

impl StopSignals {
    /// Catches the signals, if they are to be obeyed. Needs a running runtime.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn catch(signals: Signals) -> io::Result<Self> {
        Ok(Self(match signals {
            Signals::Ignored => None,
            Signals::Obeyed => Some((signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)),
        }))
    }

    /// The name of the next signal.
    async fn next(&mut self) -> &'static str {
        match &mut self.0 {
            None => std::future::pending().await,
            Some((terminate, interrupt)) => tokio::select! {
                _ = terminate.recv() => "SIGTERM",
                _ = interrupt.recv() => "SIGINT",
            },
        }
    }
}

/// Waits for a signal or [`Lifetime::ask_to_stop`]; then drains and stops the server. A second signal ends the process
/// at once.
pub(super) async fn stop_when_asked(life: &Lifetime, server: ServerHandle, delay: Duration, mut signals: StopSignals) {
    let asked = async {
        while !life.stop_asked.load(Ordering::Acquire) {
            life.stop.notified().await;
        }
        "request"
    };
    let reason = tokio::select! {
        name = signals.next() => name,
        name = asked => name,
    };
    events::stopping(reason);
    // From now on /readyz says 503 and answers carry `Connection: close`, while new connections are still served until
    // the balancer has noticed.
    life.set(Life::Draining);
    let drain = async {
        tokio::time::sleep(delay).await;
        server.stop(true).await;
    };
    tokio::select! {
        () = drain => {}
        name = signals.next() => {
            events::stopping(name);
            std::process::exit(130);
        }
    }
}
