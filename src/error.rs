//! The sum of every area's errors. HTTP statuses are in `server/error.rs` alone.

/// Why a request has no picture for an answer: one variant for each area's own error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The HTTP layer refused it.
    #[error(transparent)]
    Refusal(#[from] crate::server::Refusal),
    /// The signature is wrong.
    #[error(transparent)]
    Signature(#[from] crate::security::SignatureError),
    /// A parameter cannot be read.
    #[error(transparent)]
    Param(#[from] crate::plan::ParamError),
    /// The parameters make no plan for this picture.
    #[error(transparent)]
    Plan(#[from] crate::plan::PlanError),
    /// The source gave no bytes.
    #[error(transparent)]
    Fetch(#[from] crate::sources::FetchError),
    /// The engine gave no picture.
    #[error(transparent)]
    Engine(#[from] crate::engine::EngineError),
    /// A watermark picture cannot be had.
    #[error("Unable to retrieve watermark image. {url}")]
    Watermark {
        /// Where it should have come from, as the client wrote it.
        url: String,
        /// Why; for the log alone.
        #[source]
        source: crate::sources::FetchError,
    },
    /// A watermark picture has no bytes.
    #[error("Unable to read watermark image")]
    WatermarkEmpty,
}
