//! Requests for [`crate::shadow`]: which are sampled, and what is kept of them.

use std::cell::RefCell;
use std::rc::Rc;

use actix_web::body::{BoxBody, MessageBody as _};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};

use super::access_log;
use super::app::App;
use super::routes::Route;
use crate::shadow::{BodyCopy, Exchange, MARK};
use crate::sources::http::{HeaderMap, HeaderName, HeaderValue};

/// Headers that the other server needs to say the same: credentials, and what the answer depends on.
const HANDED_ON: &[&str] = &["accept", "api-key", "authorization", "content-type", "x-forward-authorization"];

/// A request of the sample.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    /// Of a POST.
    body: Rc<RefCell<Option<BodyCopy>>>,
}

impl Sample {
    /// Whether this request is sampled: one in so many of those that ask for pictures.
    pub(super) fn of(app: &App, http: &HttpRequest, route: Route) -> Option<Self> {
        let shadow = app.shadow.as_ref()?;
        let asks = route.is_image() && matches!(*http.method(), Method::GET | Method::POST);
        // Two servers that shadow each other would never come to an end.
        if !asks || http.headers().contains_key(MARK) || !shadow.picks() {
            return None;
        }
        let body = (*http.method() == Method::POST).then(|| shadow.body_copy());
        Some(Self { body: Rc::new(RefCell::new(body)) })
    }

    /// A piece of the request's body.
    pub(super) fn push(&self, piece: &[u8]) {
        if let Some(copy) = self.body.borrow_mut().as_mut() {
            copy.push(piece);
        }
    }

    /// Hands the request in with the answer that its client gets; that answer as it was.
    pub(super) fn answered(self, app: &App, http: &HttpRequest, response: HttpResponse) -> HttpResponse {
        let Some(shadow) = &app.shadow else { return response };
        // What a busy server, a lost client or a cache's question led to says nothing about pictures.
        let status = response.status();
        if status.is_redirection()
            || matches!(status.as_u16(), 408 | 429 | 499 | 503 | 504)
            || status == StatusCode::NO_CONTENT
        {
            return response;
        }
        let (head, body) = response.into_parts();
        let bytes = match body.try_into_bytes() {
            Ok(bytes) => bytes,
            Err(body) => return head.set_body(body),
        };
        let target = http.uri().path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let handed_on = HANDED_ON.iter().map(|name| HeaderName::from_static(name));
        let mut headers = HeaderMap::new();
        for name in handed_on.chain(app.sources.wanted_headers().iter().cloned()) {
            let values = http.headers().get_all(name.as_str());
            let values: Vec<_> = values.filter_map(|value| HeaderValue::from_bytes(value.as_bytes()).ok()).collect();
            headers.remove(&name);
            for value in values {
                headers.append(name.clone(), value);
            }
        }
        shadow.offer(Exchange {
            post: *http.method() == Method::POST,
            shown: access_log::redacted(&target),
            target,
            headers,
            body: self.body.borrow_mut().take(),
            status: status.as_u16(),
            answer: bytes.clone(),
            charge: None,
        });
        head.set_body(BoxBody::new(bytes))
    }
}
