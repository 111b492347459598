mod client;
mod endpoints;
mod server;

pub use client::{Answer, Client};

pub use server::{Server, jpeg};
