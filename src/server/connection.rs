//! A client's connection with a watchdog: actix times only the first head of a connection, this times every one of
//! them, and every answer being read. It also tells handlers when the client has gone.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use actix_http::Protocol;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::{Sleep, sleep_until};

use crate::telemetry::events::{self, Stage};

/// Bytes to and from a client, encrypted or not.
pub(super) enum Wire {
    Plain(TcpStream),
    #[cfg(feature = "tls")]
    Tls(Box<tokio_rustls::server::TlsStream<TcpStream>>),
}

/// Times granted to a client.
#[derive(Debug, Clone, Copy)]
pub(super) struct Patience {
    /// From the first byte of a head to its last.
    pub head: Duration,
    /// Over HTTP/2, from the end of one request to the next: heads and readers cannot be told apart there, since frames
    /// of all kinds come at any time; a connection that asks for nothing is closed instead. `None`: no limit.
    pub quiet: Option<Duration>,
    /// From the first byte of an answer until the client has taken all of it; `None`: no limit.
    pub write: Option<Duration>,
}

/// Where a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Between two requests, since then. Over HTTP/1 actix's keep-alive timer runs.
    Idle(Instant),
    /// Some of a head has come, since then.
    Head(Instant),
    /// A handler runs; it times the body itself.
    Busy,
}

/// What the connection and the handlers that serve its requests know in common.
#[derive(Debug)]
pub(super) struct Shared {
    phase: Cell<Phase>,
    /// Handlers at work: one at a time over HTTP/1, many over HTTP/2.
    busy: Cell<usize>,
    /// When the first byte of the answer under way was written.
    writing_since: Cell<Option<Instant>>,
    /// When the answer under way was made; HTTP/1 only (see `taken` for HTTP/2).
    answered: Cell<Option<Instant>>,
    gone: Cell<bool>,
    notify: Notify,
}

impl Shared {
    fn new() -> Rc<Self> {
        Rc::new(Self {
            phase: Cell::new(Phase::Idle(Instant::now())),
            busy: Cell::new(0),
            writing_since: Cell::new(None),
            answered: Cell::new(None),
            gone: Cell::new(false),
            notify: Notify::new(),
        })
    }

    /// A handler takes over; the head's timer stops until the returned guard is dropped.
    pub(super) fn begin(self: &Rc<Self>) -> Busy {
        self.busy.set(self.busy.get() + 1);
        self.phase.set(Phase::Busy);
        self.writing_since.set(None);
        Busy(Rc::clone(self))
    }

    /// Completes when the client has closed its side (or all) of the connection: nobody waits for the answer.
    pub(super) async fn gone(&self) {
        loop {
            let notified = self.notify.notified();
            if self.gone.get() {
                return;
            }
            notified.await;
        }
    }
}

/// A handler at work; see [`Shared::begin`].
pub(super) struct Busy(Rc<Shared>);

impl Drop for Busy {
    fn drop(&mut self) {
        let left = self.0.busy.get().saturating_sub(1);
        self.0.busy.set(left);
        if left == 0 {
            let now = Instant::now();
            self.0.phase.set(Phase::Idle(now));
            self.0.answered.set(Some(now));
        }
    }
}

/// [`Wire`] with the watchdog.
pub(super) struct Connection {
    wire: Wire,
    patience: Patience,
    multiplexed: bool,
    shared: Rc<Shared>,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    pub(super) fn new(wire: Wire, protocol: Protocol, patience: Patience) -> Self {
        let multiplexed = protocol == Protocol::Http2;
        Self { wire, patience, multiplexed, shared: Shared::new(), timer: None }
    }

    pub(super) fn shared(&self) -> Rc<Shared> {
        Rc::clone(&self.shared)
    }

    /// Polls the timer, set to `deadline`; ready once that has passed.
    fn poll_deadline(&mut self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let deadline = deadline.into();
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() != deadline {
            timer.as_mut().reset(deadline);
        }
        timer.as_mut().poll(cx)
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buf.filled().len();
        let polled = match &mut this.wire {
            Wire::Plain(wire) => Pin::new(wire).poll_read(cx, buf),
            #[cfg(feature = "tls")]
            Wire::Tls(wire) => Pin::new(wire.as_mut()).poll_read(cx, buf),
        };
        if let Poll::Ready(result) = &polled {
            if result.is_err() || buf.filled().len() == before {
                this.shared.gone.set(true);
                this.shared.notify.notify_waiters();
            } else if matches!(this.shared.phase.get(), Phase::Idle(_)) && !this.multiplexed {
                this.shared.phase.set(Phase::Head(Instant::now()));
            }
        }
        // Also after a read: a head that drips in a byte at a time must not outrun its timer.
        let (deadline, reason) = match this.shared.phase.get() {
            Phase::Head(since) => (Some(since + this.patience.head), "slow_head"),
            Phase::Idle(since) if this.multiplexed => (this.patience.quiet.map(|quiet| since + quiet), "quiet"),
            Phase::Idle(_) | Phase::Busy => (None, ""),
        };
        if let Some(deadline) = deadline
            && this.poll_deadline(deadline, cx).is_ready()
        {
            events::connection_closed(reason);
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        polled
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let since = this.shared.writing_since.get().unwrap_or_else(Instant::now);
        this.shared.writing_since.set(Some(since));
        let polled = match &mut this.wire {
            Wire::Plain(wire) => Pin::new(wire).poll_write(cx, bytes),
            #[cfg(feature = "tls")]
            Wire::Tls(wire) => Pin::new(wire.as_mut()).poll_write(cx, bytes),
        };
        if polled.is_pending()
            && let Some(limit) = this.patience.write
        {
            ready!(this.poll_deadline(since + limit, cx));
            events::connection_closed("slow_reader");
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = match &mut self.wire {
            Wire::Plain(wire) => Pin::new(wire).poll_flush(cx),
            #[cfg(feature = "tls")]
            Wire::Tls(wire) => Pin::new(wire.as_mut()).poll_flush(cx),
        };
        // actix flushes when all that it had is written: the client has taken the answer, as far as can be seen here.
        if flushed.is_ready()
            && self.shared.writing_since.take().is_some()
            && let Some(answered) = self.shared.answered.take()
            && !self.multiplexed
        {
            events::stage(Stage::Write, answered.elapsed());
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.wire {
            Wire::Plain(wire) => Pin::new(wire).poll_shutdown(cx),
            #[cfg(feature = "tls")]
            Wire::Tls(wire) => Pin::new(wire.as_mut()).poll_shutdown(cx),
        }
    }
}
