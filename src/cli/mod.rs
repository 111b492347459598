//! Subcommands beside the server: `phasor sign URL`, `phasor explain URL`, `phasor gpus`. Answers are text; `main` prints
//! them.

mod explain;
mod sign;
mod url;

pub use explain::explain;
pub use sign::sign;

/// The GPUs of this machine.
#[cfg(feature = "gpu")]
pub fn gpus() -> String {
    crate::engine::gpu_listing()
}

/// The GPUs that a program without the feature sees.
#[cfg(not(feature = "gpu"))]
pub fn gpus() -> String {
    "no GPU: this program was built without the gpu feature\n".to_owned()
}

#[cfg(test)]
mod tests;
