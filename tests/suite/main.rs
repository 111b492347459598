//! Everything that is tested from outside. One module a theme.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]
#![allow(dead_code, unreachable_pub, reason = "the harness serves more tests than there are today")]

/// What a request must look like to be served: a real server, a real client.
mod http;
/// Who may use whom.
mod layers;
