//! The end of an answer over HTTP/2, where the connection cannot tell one answer's bytes from another's: frames of all
//! streams go through it.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;

use crate::telemetry::events::{self, Stage};

/// A body that counts the stage `write` when the last of it is within the client's window: that is when it is asked for
/// more and has none. A client that leaves earlier is not counted.
pub(super) struct Taken {
    body: BoxBody,
    /// Since when; taken when it is over.
    made: Option<Instant>,
    told: fn(Instant),
}

impl Taken {
    /// From now on.
    pub(super) fn body(body: BoxBody) -> BoxBody {
        BoxBody::new(Self::telling(body, |made| events::stage(Stage::Write, made.elapsed())))
    }

    fn telling(body: BoxBody, told: fn(Instant)) -> Self {
        Self { body, made: Some(Instant::now()), told }
    }
}

impl MessageBody for Taken {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let next = ready!(Pin::new(&mut self.body).poll_next(cx));
        if next.is_none()
            && let Some(made) = self.made.take()
        {
            (self.told)(made);
        }
        Poll::Ready(next)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::FutureExt as _;
    use futures_util::future::poll_fn;

    use super::*;

    thread_local! {
        static TOLD: Cell<u32> = const { Cell::new(0) };
    }

    #[test]
    fn an_answer_is_over_when_no_more_is_asked_for_and_not_before() {
        let taken =
            || Box::pin(Taken::telling(BoxBody::new(Bytes::from_static(b"picture")), |_| TOLD.set(TOLD.get() + 1)));
        let next = |body: &mut Pin<Box<Taken>>| poll_fn(|cx| body.as_mut().poll_next(cx)).now_or_never().unwrap();
        let mut body = taken();
        assert_eq!(body.size(), BodySize::Sized(7));
        assert_eq!(next(&mut body).unwrap().unwrap(), "picture");
        assert_eq!(TOLD.get(), 0);
        assert!(next(&mut body).is_none() && next(&mut body).is_none());
        assert_eq!(TOLD.get(), 1);
        // The client left in the middle.
        let mut body = taken();
        assert!(next(&mut body).is_some());
        drop(body);
        assert_eq!(TOLD.get(), 1);
    }
}
