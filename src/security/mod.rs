//! May you: API key, URL signature, throttle. Pure decisions; HTTP statuses and headers are made by `server`.

pub mod api_key;
pub mod key_ring;
pub mod signature;
pub mod throttle;

pub use api_key::ApiKey;
pub use key_ring::{KeyFile, KeyRing, Reread};
pub use signature::{Key, SignatureError};
pub use throttle::{Throttle, Verdict};

/// The settings of this area. Empty fields are off.
#[derive(Debug, Default)]
pub struct Config {
    /// The API key every request has to show; `None` or empty: nobody is asked.
    pub api_key: Option<ApiKey>,
    /// Keys of URL signatures; empty: signatures are not checked. The first one signs, every one verifies, so that a
    /// key can be rotated without a moment in which old URLs fail.
    pub signature_keys: Vec<Key>,
    /// The file that the last of these come from; it may change while the server runs.
    pub signature_key_file: Option<KeyFile>,
    /// How many of the keys do not come from the file.
    pub signature_keys_fixed: usize,
    /// Requests per second and burst, for each endpoint and method; `None`: no limit.
    pub throttle: Option<throttle::Rate>,
}

impl Config {
    /// Every fault of the settings. Keys are checked when they are made ([`Key::new`]).
    pub fn check(&self) -> Vec<throttle::RateError> {
        self.throttle.iter().filter_map(|rate| rate.check().err()).collect()
    }
}
