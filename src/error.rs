//! The sum of every area's errors. HTTP statuses are in `server/error.rs` alone.
