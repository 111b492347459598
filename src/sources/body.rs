//! Bodies of requests: the picture itself, or a form with the picture in it.

use std::pin::pin;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};

use super::buffer::{ChargedBuffer, Full};
use super::{FetchError, Fetched, multipart};
use crate::budget::MemoryBudget;

/// What a request says about its body.
#[derive(Debug, Clone, Copy, Default)]
pub struct UploadSpec<'a> {
    /// The `Content-Type` header. Starting with `multipart/` it means a form, anything else the picture itself.
    pub content_type: Option<&'a str>,
    /// The `Content-Length` header.
    pub content_length: Option<u64>,
    /// The form's field that holds the picture; `None`: `file`.
    pub field: Option<&'a str>,
}

/// Reads a body of at most `limit` bytes; 0: as the budget allows.
pub(super) async fn read<S, E>(
    body: S,
    spec: &UploadSpec<'_>,
    limit: u64,
    budget: &MemoryBudget,
) -> Result<Fetched, FetchError>
where
    S: Stream<Item = Result<Bytes, E>>,
{
    let full = |full| match full {
        Full::Limit(_) => FetchError::BodyTooLarge { limit },
        Full::Budget => FetchError::OverBudget,
    };
    let most = if limit == 0 { u64::MAX } else { limit };
    if spec.content_length.is_some_and(|length| length > most) {
        return Err(FetchError::BodyTooLarge { limit });
    }
    // Before the body is read, so that a wrong one is not waited for.
    let boundary = match spec.content_type.filter(|value| value.starts_with("multipart/")) {
        Some(value) => Some(multipart::boundary(value)?),
        None => None,
    };
    let mut buffer = ChargedBuffer::new(budget, most, spec.content_length).map_err(full)?;
    let mut body = pin!(body);
    while let Some(chunk) = body.next().await {
        buffer.push(&chunk.map_err(|_| FetchError::BodyTruncated)?).map_err(full)?;
    }
    let (bytes, charge) = buffer.finish();
    let Some(boundary) = boundary else { return Fetched::new(bytes, charge) };
    let file = multipart::find_file(&bytes, &boundary, spec.field.unwrap_or("file"))?;
    let part = bytes.slice(file);
    // A small file in a large form does not keep the form in memory.
    if part.len() < bytes.len() / 2
        && let Some(own) = budget.try_charge(part.len() as u64)
    {
        return Fetched::new(Bytes::copy_from_slice(&part), own);
    }
    Fetched::new(part, charge)
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    async fn upload(body: &[u8], spec: UploadSpec<'_>, limit: u64) -> Result<Vec<u8>, String> {
        let chunks: Vec<Result<Bytes, ()>> = body.chunks(7).map(|chunk| Ok(Bytes::copy_from_slice(chunk))).collect();
        let read = read(stream::iter(chunks), &spec, limit, &MemoryBudget::new(1 << 20)).await;
        read.map(|fetched| fetched.bytes.to_vec()).map_err(|error| error.to_string())
    }

    fn form(field: &str, filename: &str, content: &str) -> Vec<u8> {
        format!("--XX\r\nContent-Disposition: form-data; name=\"{field}\"{filename}\r\n\r\n{content}\r\n--XX--\r\n")
            .into_bytes()
    }

    const FORM: UploadSpec<'_> =
        UploadSpec { content_type: Some("multipart/form-data; boundary=XX"), content_length: None, field: None };
    const RAW: UploadSpec<'_> = UploadSpec { content_type: Some("image/jpeg"), content_length: None, field: None };

    #[tokio::test]
    async fn raw_bodies_are_taken_whole_whatever_their_type() {
        for content_type in [None, Some(""), Some("text/html"), Some("application/json"), Some("multipart")] {
            let spec = UploadSpec { content_type, ..RAW };
            assert_eq!(upload(b"picture", spec, 0).await.unwrap(), b"picture");
        }
        assert_eq!(upload(b"", RAW, 0).await.unwrap_err(), "Empty or unreadable image");
    }

    #[tokio::test]
    async fn forms_give_their_file() {
        let file = form("file", "; filename=\"a.jpg\"", "picture");
        assert_eq!(upload(&file, FORM, 0).await.unwrap(), b"picture");
        let other = form("photo", "; filename=\"a.jpg\"", "picture");
        assert_eq!(upload(&other, FORM, 0).await.unwrap_err(), "http: no such file");
        let spec = UploadSpec { field: Some("photo"), ..FORM };
        assert_eq!(upload(&other, spec, 0).await.unwrap(), b"picture");
        let empty = form("file", "; filename=\"a.jpg\"", "");
        assert_eq!(upload(&empty, FORM, 0).await.unwrap_err(), "Empty or unreadable image");
    }

    /// H5.
    #[tokio::test]
    async fn the_limit_holds_for_declared_and_for_sent_bytes() {
        assert_eq!(upload(&[1; 100], RAW, 100).await.unwrap().len(), 100);
        let error = upload(&[1; 101], RAW, 100).await.unwrap_err();
        assert_eq!(error, "Request body exceeds maximum allowed 100 bytes");
        let declared = UploadSpec { content_length: Some(101), ..RAW };
        let never = stream::pending::<Result<Bytes, ()>>();
        let read = read(never, &declared, 100, &MemoryBudget::new(1 << 20)).await;
        assert!(matches!(read, Err(FetchError::BodyTooLarge { limit: 100 })));
    }

    #[tokio::test]
    async fn the_budget_holds_and_broken_bodies_are_errors() {
        let budget = MemoryBudget::new(50_000);
        let endless = stream::repeat_with(|| Ok::<_, ()>(Bytes::from_static(&[0; 1000])));
        assert!(matches!(read(endless, &RAW, 0, &budget).await, Err(FetchError::OverBudget)));
        let broken = stream::iter([Ok(Bytes::from_static(b"pic")), Err(())]);
        let error = read(broken, &RAW, 0, &budget).await.unwrap_err();
        assert_eq!(error.to_string(), "unexpected EOF");
        assert_eq!(budget.used(), 0);
    }

    #[tokio::test]
    async fn a_form_is_not_kept_for_a_small_file() {
        let budget = MemoryBudget::new(1 << 20);
        let mut body = b"--XX\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n".to_vec();
        body.extend([b'x'; 50_000]);
        body.extend(b"\r\n");
        body.extend(form("file", "; filename=a", "picture"));
        let body = stream::iter([Ok::<_, ()>(Bytes::from(body))]);
        let fetched = read(body, &FORM, 0, &budget).await.unwrap();
        assert_eq!((&fetched.bytes[..], budget.used()), (&b"picture"[..], 7));
    }

    #[tokio::test]
    async fn wrong_content_types_are_refused_before_reading() {
        for (content_type, message) in [
            ("multipart/form-data", "no multipart boundary param in Content-Type"),
            ("multipart/mixed; boundary=XX", "request Content-Type isn't multipart/form-data"),
            ("multipart/form-data; boundary=", "request Content-Type isn't multipart/form-data"),
            ("multipart/form-data; boundary=\"XX", "request Content-Type isn't multipart/form-data"),
        ] {
            let spec = UploadSpec { content_type: Some(content_type), ..FORM };
            let never = stream::pending::<Result<Bytes, ()>>();
            let error = read(never, &spec, 0, &MemoryBudget::new(10)).await.unwrap_err();
            assert_eq!(error.to_string(), message, "{content_type}");
        }
    }
}
