//! Which addresses a source may have. The tables follow the IANA registries of special-purpose addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::cidr::Cidr;
use super::config::PrivateAddresses;

/// What kind of place an address is. Ordered: the worse, the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// Anywhere on the internet.
    Public,
    /// Inside somebody's network.
    Private,
    /// The machine itself, its link, its cloud's metadata, or nowhere.
    Forbidden,
}

/// How far a fetch may reach under [`PrivateAddresses::Auto`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// The URL comes from anyone.
    Public,
    /// The URL is signed, or the operator named its host.
    Private,
}

/// Decides about addresses.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    pub(super) mode: PrivateAddresses,
    pub(super) networks: Vec<Cidr>,
}

impl Guard {
    /// Whether `address` may be dialled for a host called `host`.
    pub(super) fn allows(&self, host: &str, address: IpAddr, reach: Reach) -> bool {
        if self.networks.iter().any(|network| network.contains(address)) {
            return true;
        }
        let private = match self.mode {
            PrivateAddresses::Allow => true,
            PrivateAddresses::Deny => false,
            PrivateAddresses::Auto => reach == Reach::Private,
        };
        !is_metadata_name(host)
            && match classify(address) {
                Class::Public => true,
                Class::Private => private,
                Class::Forbidden => false,
            }
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Cidr {
    Cidr::new(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), prefix)
}

const fn v6(a: u16, b: u16, c: u16, d: u16, prefix: u8) -> Cidr {
    Cidr::new(IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0)), prefix)
}

/// Metadata services that lie in public or private ranges; the others are in forbidden ones already.
const METADATA: &[Cidr] = &[
    v4(100, 100, 100, 200, 32),
    v4(168, 63, 129, 16, 32),
    Cidr::new(IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)), 128),
    Cidr::new(IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)), 128),
];

const PRIVATE: &[Cidr] = &[
    v4(10, 0, 0, 0, 8),
    v4(100, 64, 0, 0, 10), // shared address space of carriers; clusters use it for pods
    v4(172, 16, 0, 0, 12),
    v4(192, 168, 0, 0, 16),
    v6(0xfc00, 0, 0, 0, 7),
];

const FORBIDDEN: &[Cidr] = &[
    v4(0, 0, 0, 0, 8),
    v4(127, 0, 0, 0, 8),
    v4(169, 254, 0, 0, 16),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
    v6(0x2001, 0x2, 0, 0, 48),   // benchmarking
    v6(0x2001, 0x10, 0, 0, 28),  // ORCHID
    v6(0x2001, 0x20, 0, 0, 28),  // ORCHIDv2
    v6(0x2001, 0xdb8, 0, 0, 32), // documentation
    v6(0x3fff, 0, 0, 0, 20),     // documentation
];

/// Global unicast IPv6. What lies outside is link-local, multicast, local-use NAT64, or not assigned to anyone.
const GLOBAL_V6: Cidr = v6(0x2000, 0, 0, 0, 3);

/// Looks an address up. An IPv6 address that carries an IPv4 one is as bad as the worse of the two.
pub(super) fn classify(address: IpAddr) -> Class {
    let within = |table: &[Cidr]| table.iter().any(|network| network.contains(address));
    if within(METADATA) || within(FORBIDDEN) {
        return Class::Forbidden;
    }
    if within(PRIVATE) {
        return Class::Private;
    }
    let IpAddr::V6(address) = address else { return Class::Public };
    let Embedded { whole, parts } = embedded(address);
    let carried = parts.into_iter().flatten().map(|a| classify(IpAddr::V4(a))).max().unwrap_or(Class::Public);
    let own = if whole || GLOBAL_V6.contains(IpAddr::V6(address)) { Class::Public } else { Class::Forbidden };
    own.max(carried)
}

/// IPv4 addresses inside an IPv6 address. `whole`: the address is nothing but a way to write them.
struct Embedded {
    whole: bool,
    parts: [Option<Ipv4Addr>; 2],
}

fn embedded(address: Ipv6Addr) -> Embedded {
    let bits = address.to_bits();
    let at = |shift: u32| Some(Ipv4Addr::from_bits((bits >> shift) as u32));
    let low = at(0);
    let (whole, parts) = match address.segments() {
        // `::a.b.c.d` (which covers `::` and `::1`), `::ffff:a.b.c.d`, `::ffff:0:a.b.c.d`
        [0, 0, 0, 0, 0, 0 | 0xffff, _, _] | [0, 0, 0, 0, 0xffff, 0, _, _] => (true, [low, None]),
        // NAT64
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => (true, [low, None]),
        // 6to4
        [0x2002, ..] => (true, [at(80), None]),
        // Teredo: the server, and the client with every bit turned over
        [0x2001, 0, ..] => (true, [at(64), Some(Ipv4Addr::from_bits(!(bits as u32)))]),
        // ISATAP, under any prefix
        [_, _, _, _, 0 | 0x200, 0x5efe, _, _] => (false, [low, None]),
        _ => (false, [None, None]),
    };
    Embedded { whole, parts }
}

/// Names that clouds answer with their metadata service, whatever address it has.
fn is_metadata_name(host: &str) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    ["metadata.google.internal", "metadata.goog", "metadata.internal", "instance-data", "instance-data.ec2.internal"]
        .iter()
        .any(|name| host.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests;
