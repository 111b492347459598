//! What can go wrong with a source. The texts are the wire contract's; statuses are given in `server/error.rs`.

use super::multipart::FormError;

/// A source that was not read. `Display` is what the client is told; fields that it does not show are for the log.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No source is named, or only one that is switched off (400).
    #[error("Cannot process the image due to missing or invalid params")]
    Missing,
    /// The source has no bytes (400).
    #[error("Empty or unreadable image")]
    Empty,
    /// Outside the mount, missing, or not a regular file (400).
    #[error("Invalid file path")]
    InvalidFilePath,
    /// Not a URL that can be fetched (400).
    #[error("Invalid image URL")]
    InvalidUrl,
    /// The origin of the URL, or of a redirect, is not an allowed one (400).
    #[error("not allowed remote URL origin: {origin}")]
    OriginNotAllowed {
        /// Host, port and path as written.
        origin: String,
    },
    /// No address of the host may be dialled (403).
    #[error("Source address is not allowed")]
    AddressNotAllowed {
        /// The host.
        host: String,
    },
    /// The source answered with another status than 200 (400 ≤ status ≤ 511: that status; else 503).
    #[error("error fetching remote http image: (status={status}) (url={url})")]
    Status {
        /// The source's status.
        status: u16,
        /// The URL as asked for.
        url: String,
    },
    /// No answer could be had: name, route, port, TLS or protocol (400). One text for all, so that nobody scans ports
    /// with it.
    #[error("error fetching remote http image: no usable answer from the source")]
    Unreachable {
        /// What happened.
        cause: String,
    },
    /// More redirects than allowed (400).
    #[error("error fetching remote http image: too many redirects")]
    TooManyRedirects,
    /// A redirect to something that is not a fetchable URL (400).
    #[error("error fetching remote http image: redirect to an unsupported URL")]
    InvalidRedirect,
    /// The answer is coded in a way that was not asked for (400).
    #[error("error fetching remote http image: unsupported content encoding")]
    UnsupportedEncoding,
    /// The answer broke off or its gzip is damaged (400).
    #[error("unable to create image from response body: unexpected EOF")]
    Truncated {
        /// What happened.
        cause: String,
    },
    /// The answer is larger than `-max-allowed-size` (400). `length` is the length it declared, or what had arrived.
    #[error("Content-Length {length} exceeds maximum allowed {limit} bytes")]
    TooLarge {
        /// Bytes declared or seen.
        length: u64,
        /// Bytes allowed.
        limit: u64,
    },
    /// The source took too long to connect, to go on or to end (504).
    #[error("error fetching remote http image: the source took too long")]
    Timeout,
    /// As many fetches as allowed are waiting for this host already, and none ended in time (503).
    #[error("error fetching remote http image: too many fetches from this host")]
    HostBusy {
        /// Host and port.
        host: String,
    },
    /// The URL leads back to this server (508).
    #[error("error fetching remote http image: the URL leads back to this server")]
    Loop,
    /// No memory is free for the bytes (503).
    #[error("Server is out of memory for this request, try again later")]
    OverBudget,
    /// The file alone is larger than the whole memory budget (422).
    #[error("Image file is too big: {length} bytes, {limit} can be handled")]
    FileTooLarge {
        /// Bytes of the file.
        length: u64,
        /// Bytes of the budget.
        limit: u64,
    },
    /// The request's body is over its limit (413).
    #[error("Request body exceeds maximum allowed {limit} bytes")]
    BodyTooLarge {
        /// Bytes allowed.
        limit: u64,
    },
    /// The request's body broke off (400).
    #[error("unexpected EOF")]
    BodyTruncated,
    /// The form in the request's body is not one, or holds no file (400).
    #[error(transparent)]
    Form(#[from] FormError),
}
