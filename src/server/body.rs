//! The body of a request as a stream that does not wait for ever.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::web::{Bytes, Payload};
use futures_util::Stream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::shadowing::Sample;

/// A payload with a limit on each pause and on the whole.
pub(super) struct TimedBody {
    payload: Payload,
    idle: Duration,
    /// When the whole has to be there.
    end: Option<Instant>,
    timer: Pin<Box<Sleep>>,
    late: Rc<Cell<bool>>,
    sample: Option<Sample>,
}

impl TimedBody {
    /// `idle`: longest pause. `end`: when the whole has to be there. `sample`: who gets a copy.
    pub(super) fn new(
        payload: Payload,
        idle: Duration,
        end: Option<std::time::Instant>,
        sample: Option<Sample>,
    ) -> Self {
        let end = end.map(Instant::from_std);
        let timer = Box::pin(sleep_until(next(idle, end)));
        Self { payload, idle, end, timer, late: Rc::default(), sample }
    }

    /// Set once the stream has ended for being late.
    pub(super) fn late(&self) -> Rc<Cell<bool>> {
        Rc::clone(&self.late)
    }
}

fn next(idle: Duration, end: Option<Instant>) -> Instant {
    let pause = Instant::now() + idle;
    end.map_or(pause, |end| pause.min(end))
}

impl Stream for TimedBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.payload).poll_next(cx);
        if polled.is_ready() && this.end.is_none_or(|end| Instant::now() < end) {
            this.timer.as_mut().reset(next(this.idle, this.end));
            if let (Poll::Ready(Some(Ok(piece))), Some(sample)) = (&polled, &this.sample) {
                sample.push(piece);
            }
            return polled;
        }
        if polled.is_ready() || this.timer.as_mut().poll(cx).is_ready() {
            this.late.set(true);
            return Poll::Ready(Some(Err(PayloadError::Incomplete(None))));
        }
        Poll::Pending
    }
}
