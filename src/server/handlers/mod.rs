//! What each route does once the checks have passed.

pub(super) mod fetching;
pub(super) mod form;
pub(super) mod health;
pub(super) mod image;
pub(super) mod index;
