//! The integration tests: one binary, a module a theme.

/// Answers recorded from the reference server, replayed against ours.
mod imaginary;
