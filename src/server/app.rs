use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::access_log::AccessLog;
use super::config::Config;
use super::placeholder::Picture;
use super::shutdown::Lifetime;
use crate::budget::MemoryBudget;
use crate::engine::Engine;
use crate::security::{ApiKey, KeyRing, Throttle};
use crate::shadow::Shadow;
use crate::sources::Sources;
use crate::telemetry::Tracer;
use crate::telemetry::events::Gauges;

/// Shadow mode gets one part in so many of the memory budget.
const SHADOW_PART: u64 = 8;

/// What all workers share.
pub(super) struct App {
    pub config: Config,
    pub engine: Engine,
    pub sources: Sources,
    pub api_key: Option<ApiKey>,
    pub signature_keys: KeyRing,
    pub throttle: Option<Throttle>,
    pub shadow: Option<Shadow>,
    pub placeholder: Option<Picture>,
    pub form: String,
    pub access_log: AccessLog,
    pub tracer: Option<Tracer>,
    pub life: Lifetime,
}

impl App {
    /// Starts the engine's threads and the access log, reads the placeholder.
    ///
    /// # Errors
    /// When the system gives no threads, or the placeholder is no picture.
    pub(super) fn new(config: crate::config::Config) -> io::Result<Arc<Self>> {
        let crate::config::Config { server, engine, sources, security, shadow, memory_budget, telemetry } = config;
        // Samples have memory of their own, so that requests never lack it; it is part of the whole.
        let for_shadow = if shadow.is_some() { memory_budget / SHADOW_PART } else { 0 };
        let budget = MemoryBudget::new(memory_budget - for_shadow);
        let invalid = |error: &dyn std::fmt::Display| io::Error::new(io::ErrorKind::InvalidInput, error.to_string());
        let throttle = security.throttle.map(Throttle::new).transpose().map_err(|error| invalid(&error))?;
        let mut signature_keys = security.signature_keys;
        signature_keys.truncate(security.signature_keys_fixed);
        let engine = Engine::new(engine, budget.clone())?;
        let shadow =
            shadow.map(|config| Shadow::start(config, MemoryBudget::new(for_shadow), *engine.limits())).transpose()?;
        let placeholder = Picture::load(&server.placeholder, engine.limits())?;
        let sources = Sources::new(sources, budget).map_err(|error| invalid(&error))?;
        let start =
            |traces| Tracer::start(traces, super::VERSION, crate::sources::client_tls().map_err(|e| invalid(&e))?);
        let tracer = telemetry.traces.map(start).transpose()?;
        Ok(Arc::new(Self {
            form: super::handlers::form::page(&server.path_prefix),
            access_log: AccessLog::start(server.access_log, server.access_log_format)?,
            config: server,
            engine,
            sources,
            api_key: security.api_key,
            signature_keys: KeyRing::new(signature_keys, security.signature_key_file),
            throttle,
            shadow,
            placeholder,
            tracer,
            life: Lifetime::new(),
        }))
    }

    /// When a request that started then is given up.
    pub(super) fn deadline(&self, started: Instant) -> Instant {
        // A day stands for "never": clocks cannot add arbitrary durations.
        started + self.config.request_timeout.unwrap_or(Duration::from_secs(86_400))
    }

    /// The figures that are read, not counted.
    pub(super) fn gauges(&self) -> Gauges {
        let stats = self.engine.stats();
        Gauges {
            version: super::VERSION,
            budget_total: self.engine.budget().total(),
            budget_used: self.engine.budget().used(),
            queued: stats.queued,
            queue_delay: stats.queue_delay,
            threads: stats.threads,
            running: stats.running,
            shed_queue: stats.shed_queue,
            shed_deadline: stats.shed_late,
            job_panics: stats.panics,
            gpus: self.engine.gpu_figures(),
        }
    }
}
