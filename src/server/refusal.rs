/// Why the HTTP layer itself refuses a request. The texts are the contract's where it has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// GET of a picture without `-mount` and `-enable-url-source`.
    #[error("GET method not allowed. Make sure remote URL source is enabled by using the flag: -enable-url-source")]
    GetNotAllowed,
    /// A method other than GET and POST.
    #[error("HTTP method not allowed. Try with a POST or GET method (-enable-url-source flag must be defined)")]
    MethodNotAllowed,
    /// POST on a server that takes signed GETs only.
    #[error("POST method not allowed. Only signed GET requests are accepted")]
    PostNotSigned,
    /// Wrong or no API key.
    #[error("Invalid or missing API key")]
    ApiKey,
    /// No such path.
    #[error("Not found")]
    NotFound,
    /// Switched off.
    #[error("Not implemented endpoint")]
    NotImplemented,
    /// GET with neither `file=` nor `url=`, or with one that is not enabled.
    #[error("Cannot process the image due to missing or invalid params")]
    MissingSource,
    /// No bytes.
    #[error("Empty or unreadable image")]
    EmptyImage,
    /// Bytes of no picture format.
    #[error("Unsupported media type")]
    MediaType,
    /// A compressed body.
    #[error("Request bodies with a Content-Encoding are not accepted")]
    ContentEncoding,
    /// The body is longer than allowed.
    #[error("Request body exceeds maximum allowed {limit} bytes")]
    BodyTooLarge {
        /// What is allowed.
        limit: u64,
    },
    /// The body stopped coming.
    #[error("Request body was not received in time")]
    BodyTimeout,
    /// The request took longer than allowed.
    #[error("Timeout")]
    Deadline,
    /// The client went away; nobody reads this.
    #[error("Client closed the connection")]
    ClientGone,
    /// A panic: a bug, which costs this one request.
    #[error("Internal error")]
    Panicked,
}
