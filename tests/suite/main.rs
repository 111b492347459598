//! Everything that is tested from outside. One module a theme.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    unreachable_pub,
    missing_docs,
    reason = "a test that cannot go on has failed; nothing here is for others"
)]
// Whether a server may be shared by threads is asked down to the types of wgpu, which lie deep.
#![recursion_limit = "256"]

/// Texts made from tables.
mod bench;
/// `phasor capacity`.
mod capacity;
/// Crops, of which only a part is decoded, against those of the whole.
mod crops;
mod docs;
/// Several servers behind real proxies.
mod fleet;
/// Small answers that people have looked at, kept.
mod goldens;
/// What strangers send.
mod hostile;
/// What a request must look like to be served: a real server, a real client.
mod http;
/// Answers recorded from imaginary, replayed against this server.
mod imaginary;
/// Who may use whom.
mod layers;
/// The Kubernetes files against the program.
mod manifests;
/// Both backends on the same steps.
#[cfg(feature = "gpu")]
mod parity;
/// What the README says to type.
mod readme;
/// The bytes of answers beside the number in their tags.
mod rendering;
/// What signs URLs besides this program.
/// GPUs whose memory others use.
#[cfg(feature = "gpu")]
mod shortage;
mod signers;
/// Thumbnails from few coefficients against those from all samples.
mod thumbnails;
