//! HTTP: the only code that names actix. Statuses are in [`error`], headers in `headers`, the order of checks in
//! `middleware`, the URLs in `routes`.

mod access_log;
mod admin;
mod app;
mod body;
mod conditional;
mod config;
mod connection;
mod entry;
mod error;
mod handlers;
mod headers;
mod json;
mod listen;
mod middleware;
mod placeholder;
mod refusal;
mod routes;
mod shadowing;
mod shutdown;
mod taken;
#[cfg(feature = "tls")]
mod tls;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread::JoinHandle;
use std::time::Duration;

use actix_http::error::DispatchError;
use actix_http::{HttpService, KeepAlive, Protocol};
use actix_service::{IntoServiceFactory, ServiceFactoryExt as _, map_config};
use actix_web::dev::{AppConfig, Server, ServerHandle, fn_service};
use actix_web::web;
use tokio::net::TcpStream;

pub use access_log::{AccessFormat, Level as AccessLevel};
pub use config::{Admin, Config, Placeholder, Tls};
pub use refusal::Refusal;
pub(crate) use routes::normalised_prefix;

use crate::engine::Drill;
use crate::security::Reread;

use app::App;
use connection::{Connection, Patience, Wire};
use shutdown::{Life, StopSignals};

/// The version, in answers and in `--version`.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Time between two requests of a connection.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// Time between two looks at the file of signature keys.
const KEYS_READ_EVERY: Duration = Duration::from_secs(2);
/// Time to take what is still coming after an early answer, so that the client reads the answer and no reset.
const LINGER: Duration = Duration::from_secs(2);

/// Longest time for the last spans to reach their collector when the server ends.
const LAST_SPANS: Duration = Duration::from_secs(3);

/// Whether signals stop the server: yes in a program, no in a test that runs several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signals {
    /// SIGTERM and SIGINT stop it.
    Obeyed,
    /// Only [`Running::stop`] does.
    Ignored,
}

/// A server at work.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where probes and metrics are, when they are anywhere.
    pub admin_address: Option<SocketAddr>,
    app: Arc<App>,
    thread: JoinHandle<io::Result<()>>,
}

impl Running {
    /// Asks it to stop, gracefully.
    pub fn stop(&self) {
        self.app.life.ask_to_stop();
    }

    /// Makes the GPUs fail in some way; they are rebuilt in the background. For drills of just that.
    pub fn drill_gpus(&self, drill: Drill) {
        self.app.engine.drill_gpus(drill);
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// Whatever ended it, if that was not a request to stop.
    pub fn wait(self) -> io::Result<()> {
        let ended = self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the server's thread panicked")));
        if let Some(tracer) = &self.app.tracer {
            tracer.flush(LAST_SPANS);
        }
        ended
    }
}

/// Binds, starts threads and serves.
///
/// # Errors
/// A taken port, an unreadable certificate or placeholder, no threads.
pub fn start(config: crate::config::Config, signals: Signals) -> io::Result<Running> {
    let named = |what: &str, error: io::Error| io::Error::new(error.kind(), format!("{what}: {error}"));
    let socket = listen::bind(&config.server.address, config.server.port)
        .map_err(|error| named(&format!("cannot listen on {}:{}", config.server.address, config.server.port), error))?;
    listen::raise_file_limit();
    let address = listen::address_of(&socket)?;
    let admin_socket = match &config.server.admin {
        None => None,
        Some(admin) => Some(
            listen::bind(&admin.address, admin.port)
                .map_err(|error| named(&format!("cannot listen on admin port {}", admin.port), error))?,
        ),
    };
    #[cfg(feature = "tls")]
    let tls = config.server.tls.as_ref().map(tls::acceptor).transpose()?;
    #[cfg(not(feature = "tls"))]
    let tls = None;
    let app = App::new(config)?;
    let admin_address = admin_socket.map(|socket| admin::start(listen::open(socket)?, Arc::clone(&app))).transpose()?;

    let (ready, is_ready) = sync_channel(1);
    let shared = Arc::clone(&app);
    let thread = std::thread::Builder::new().name("server".to_owned()).spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let signals = StopSignals::catch(signals)?;
            let listener =
                listen::open(socket).map_err(|error| named(&format!("cannot listen on {address}"), error))?;
            let server = http_server(&shared, listener, tls)?;
            let life = &shared.life;
            life.set(Life::Running);
            // Nobody to tell means that the starter is gone; serving goes on all the same.
            let _ = ready.send(());
            let watch = watch(&shared, server.handle(), signals);
            let (result, ()) = tokio::join!(server, watch);
            result
        })
    })?;
    if is_ready.recv().is_err() {
        return Err(match thread.join() {
            Ok(Err(error)) => error,
            _ => io::Error::other("the server's thread did not start"),
        });
    }
    crate::telemetry::events::started(&address.to_string(), VERSION);
    Ok(Running { address, admin_address, app, thread })
}

async fn watch(app: &Arc<App>, server: ServerHandle, signals: StopSignals) {
    let stop = shutdown::stop_when_asked(&app.life, server, app.config.drain_delay, signals);
    tokio::select! {
        () = shutdown::heartbeat(&app.life) => {}
        () = reread_keys(app) => {}
        () = stop => {}
    }
}

/// Looks for new keys of signed URLs, for ever.
async fn reread_keys(app: &Arc<App>) {
    loop {
        tokio::time::sleep(KEYS_READ_EVERY).await;
        let app = Arc::clone(app);
        match tokio::task::spawn_blocking(move || app.signature_keys.reread()).await {
            Ok(Reread::Changed(keys)) => crate::telemetry::events::signature_keys_changed(keys),
            Ok(Reread::Kept(why)) => crate::telemetry::events::signature_keys_kept(&why),
            Ok(Reread::Same) | Err(_) => {}
        }
    }
}

#[cfg(feature = "tls")]
type Acceptor = tokio_rustls::TlsAcceptor;
/// There is none without the feature.
#[cfg(not(feature = "tls"))]
#[derive(Clone)]
enum Acceptor {}

/// Workers that accept, guard, decode HTTP and hand requests to [`entry`].
fn http_server(app: &Arc<App>, listener: TcpListener, tls: Option<Acceptor>) -> io::Result<Server> {
    // Workers only parse and copy; pictures are made by the engine's threads.
    let workers = std::thread::available_parallelism().map_or(1, usize::from).clamp(1, 8);
    let app = Arc::clone(app);
    let config = &app.config;
    let patience = Patience { head: config.head_timeout, quiet: config.write_timeout, write: config.write_timeout };
    let builder = Server::build()
        .workers(workers)
        .max_concurrent_connections(config.max_connections.div_ceil(workers))
        .shutdown_timeout(config.shutdown_timeout.as_secs().max(1))
        .disable_signals();
    let graceful = builder.graceful_shutdown_signal();
    let builder = builder.listen("http", listener, move || {
        let (shared, tls, graceful) = (Arc::clone(&app), tls.clone(), graceful.clone());
        let service = actix_web::App::new().app_data(web::Data::from(shared)).default_service(web::to(entry::entry));
        let http = HttpService::build()
            .keep_alive(KeepAlive::Timeout(KEEP_ALIVE))
            .client_request_timeout(patience.head)
            .client_disconnect_timeout(LINGER)
            .graceful_shutdown_signal(move || {
                let signal = graceful.clone();
                async move { signal.notified().await }
            })
            .on_connect_ext(|connection: &Connection, data| {
                data.insert(connection.shared());
            })
            .finish(map_config(service.into_factory(), |()| AppConfig::default()));
        fn_service(move |stream: TcpStream| {
            let tls = tls.clone();
            async move { accept(stream, tls, patience).await }
        })
        .and_then(http)
    })?;
    Ok(builder.run())
}

/// What HTTP needs to know of a new connection, after its TLS handshake.
async fn accept(
    stream: TcpStream,
    tls: Option<Acceptor>,
    patience: Patience,
) -> Result<(Connection, Protocol, Option<SocketAddr>), DispatchError> {
    let _ = stream.set_nodelay(true);
    let peer = stream.peer_addr().ok();
    #[cfg(feature = "tls")]
    if let Some(tls) = tls {
        let Ok(handshake) = tokio::time::timeout(patience.head, tls.accept(stream)).await else {
            crate::telemetry::events::connection_closed("slow_handshake");
            return Err(DispatchError::SlowRequestTimeout);
        };
        let stream = handshake.map_err(DispatchError::Io)?;
        let protocol = match stream.get_ref().1.alpn_protocol() {
            Some(b"h2") => Protocol::Http2,
            _ => Protocol::Http1,
        };
        return Ok((Connection::new(Wire::Tls(Box::new(stream)), protocol, patience), protocol, peer));
    }
    #[cfg(not(feature = "tls"))]
    let _ = tls;
    Ok((Connection::new(Wire::Plain(stream), Protocol::Http1, patience), Protocol::Http1, peer))
}

/// The part of a connection that handlers know.
type Client = Rc<connection::Shared>;
