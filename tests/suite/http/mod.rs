mod access;
mod bodies;
mod checks;
mod client;
mod endpoints;
mod fixed;
mod headers;
mod images;
pub mod origin;
mod patience;
mod process;
mod redirects;
mod server;
mod serving;
mod stopping;
mod tls;

pub use client::{Answer, Client};
pub use server::{Server, jpeg, png};
