mod access;
mod bodies;
mod caching;
mod checks;
mod client;
mod endpoints;
mod fixed;
#[cfg(feature = "gpu")]
mod gpu_loss;
mod headers;
mod images;
mod memory;
mod metrics;
pub mod origin;
mod patience;
mod process;
mod redirects;
mod server;
pub mod serving;
mod shadow;
mod stopping;
mod tls;
mod traces;

pub use client::{Answer, Client};
pub use server::{Server, jpeg, png};
