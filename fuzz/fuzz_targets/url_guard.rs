//! No URL, however written, leads to a special address. The first byte picks the address that every name has; the rest
//! is the URL. Nothing is ever dialled unless the guard fails.
#![no_main]

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use libfuzzer_sys::fuzz_target;
use phasor::budget::MemoryBudget;
use phasor::sources::http::HeaderMap;
use phasor::sources::{Config, FetchContext, FetchError, PrivateAddresses, Resolver, Sources};
use tokio::runtime::{Builder, Runtime};
use url::{Host, Url};

/// An address of each kind that nobody may reach.
const SPECIAL: [&str; 32] = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "168.63.129.16",
    "::",
    "::1",
    "fe80::1",
    "fc00::1",
    "fdff::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "100::1",
    "::ffff:127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "2002:7f00:1::1",
    "2001:0:7f00:1::",
];

/// Whether the guard came as far as asking for addresses.
static ASKED: AtomicBool = AtomicBool::new(false);

struct Fixed(IpAddr);

impl Resolver for Fixed {
    fn resolve(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        ASKED.store(true, Relaxed);
        let answer = Ok(vec![self.0]);
        Box::pin(async move { answer })
    }
}

struct World {
    runtime: Runtime,
    sources: Vec<Sources>,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _inside = runtime.enter();
    let config = || Config { enable_url: true, private_addresses: PrivateAddresses::Deny, ..Config::default() };
    let sources = SPECIAL.map(|address| {
        let resolver = Arc::new(Fixed(address.parse().expect("an address")));
        Sources::with_resolver(config(), MemoryBudget::new(1 << 20), resolver).expect("sources")
    });
    drop(_inside);
    World { runtime, sources: sources.into() }
});

fuzz_target!(|bytes: &[u8]| {
    let Some((&which, text)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(text);
    let address = address(&text);
    if address.is_some_and(|address| !is_special(address)) {
        return; // may be dialled, and fuzzing must not
    }
    ASKED.store(false, Relaxed);
    let world = &*WORLD;
    let sources = &world.sources[usize::from(which) % SPECIAL.len()];
    let headers = HeaderMap::new();
    let deadline = Instant::now() + Duration::from_secs(2);
    let context = FetchContext { signed: true, headers: &headers, deadline };
    match world.runtime.block_on(sources.fetch_url(&text, &context)) {
        Err(FetchError::AddressNotAllowed { .. } | FetchError::InvalidUrl) => {}
        // Names that no certificate can have are refused before anyone is asked for their address.
        Err(FetchError::Unreachable { .. }) if address.is_none() && !ASKED.load(Relaxed) => {}
        Err(error) => panic!("{text:?} was let through: {error:?}"),
        Ok(_) => panic!("{text:?} was fetched"),
    }
});

/// The address that a URL has for a host.
fn address(text: &str) -> Option<IpAddr> {
    match Url::parse(text).ok()?.host()? {
        Host::Ipv4(address) => Some(address.into()),
        Host::Ipv6(address) => Some(address.into()),
        Host::Domain(_) => None,
    }
}

/// Whether an address is surely special: a rough second opinion.
fn is_special(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_special_v4(address),
        IpAddr::V6(address) => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || address.to_ipv4_mapped().is_some_and(is_special_v4)
        }
    }
}

fn is_special_v4(address: Ipv4Addr) -> bool {
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
}
