//! Phasor: a fast, safe image server that answers imaginary's HTTP API.
//!
//! Text becomes typed parameters, parameters and the image header become a [`plan::Plan`] in which every number is
//! settled, and the [`engine`] carries the plan out with no choices left to make.
//!
//! ```text
//!   server                       HTTP, statuses, headers          the only code that names actix
//!   security   sources   engine  may you · where from · do it
//!   plan                         what will be done                pure functions
//!   codecs     backend           bytes <-> pixels · pixels -> pixels
//!   ops                          what a step means; weights
//!   image                        buffers and geometry             uses no other module
//! ```
//!
//! `query` (a query string taken apart), `budget` (bytes in use) and `markdown` (tables) stand beside the layers and use no
//! other module.
//! `config` and `error` add up what each area declares for itself; `telemetry` may be called from `codecs` upwards.
//! `tests/suite/layers.rs` holds the table of who may use whom.

// Whether the engine may be shared by threads is asked down to the types of wgpu, which lie deep.
#![recursion_limit = "256"]

pub mod backend;
pub mod bench;
pub mod budget;
pub mod capacity;
pub mod cli;
pub mod codecs;
pub mod config;
pub mod engine;
pub mod error;
pub mod image;
mod markdown;
pub mod ops;
pub mod plan;
pub mod query;
pub mod security;
pub mod server;
pub mod shadow;
pub mod sources;
pub mod telemetry;

/// The README's Rust example, tried as a documentation test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
