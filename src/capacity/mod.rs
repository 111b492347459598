//! `phasor capacity FILE`: how many nodes a load needs, what its requests see, and what it costs; by simulating them.
//!
//! Nodes are what the server is: threads behind one bounded queue, oldest first until it is overloaded, and then newest
//! first; a GPU is a second, shared station that a job visits while it keeps its thread.

mod fleet;
mod input;
mod random;
mod report;
mod service;
mod simulate;

use std::path::Path;

pub use fleet::Estimate;
pub use input::{Balance, Goals, Input, Node};
pub use report::{json, table};
pub use service::Service;
pub use simulate::{Figures, Load, Model, simulate};

/// How it is called.
pub const USAGE: &str = "\
phasor capacity FILE [-json]: nodes that a load needs, what its requests see, and what it costs
phasor capacity -example    a FILE to begin with; docs/capacity.md explains it
";

/// An input to begin with.
pub const EXAMPLE: &str = include_str!("example.json");

/// Why nothing was simulated.
#[derive(Debug, thiserror::Error)]
pub enum CapacityError {
    /// The arguments.
    #[error("one file is needed")]
    Usage,
    /// A file that cannot be read.
    #[error("{path}: {error}")]
    File {
        /// As it was given.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// A file that says nothing that can be used.
    #[error("{path}: {reason}")]
    Input {
        /// As it was given.
        path: String,
        /// What is wrong.
        reason: String,
    },
}

/// What the arguments ask for, as text.
///
/// # Errors
/// See [`CapacityError`].
pub fn run(args: &[String]) -> Result<String, CapacityError> {
    let (mut files, mut as_json) = (Vec::new(), false);
    for arg in args {
        match arg.as_str() {
            "-h" | "-help" | "--help" => return Ok(USAGE.to_owned()),
            "-example" | "--example" => return Ok(EXAMPLE.to_owned()),
            "-json" | "--json" => as_json = true,
            file if !file.starts_with('-') => files.push(file),
            _ => return Err(CapacityError::Usage),
        }
    }
    let [file] = files.as_slice() else { return Err(CapacityError::Usage) };
    let input = Input::read(Path::new(file))?;
    let estimates: Vec<Estimate> = input.nodes.iter().map(|node| fleet::estimate(&input, node)).collect();
    Ok(if as_json { json(&estimates) } else { table(&input, &estimates) })
}
