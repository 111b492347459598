use proptest::prelude::*;

use super::*;

/// S1, S2: first and last address of each range that no source may have unless it is private and allowed.
const SPECIAL: &[(&str, &str)] = &[
    ("0.0.0.0", "0.255.255.255"),
    ("10.0.0.0", "10.255.255.255"),
    ("100.64.0.0", "100.127.255.255"),
    ("127.0.0.0", "127.255.255.255"),
    ("169.254.0.0", "169.254.255.255"),
    ("172.16.0.0", "172.31.255.255"),
    ("192.0.0.0", "192.0.0.255"),
    ("192.0.2.0", "192.0.2.255"),
    ("192.88.99.0", "192.88.99.255"),
    ("192.168.0.0", "192.168.255.255"),
    ("198.18.0.0", "198.19.255.255"),
    ("198.51.100.0", "198.51.100.255"),
    ("203.0.113.0", "203.0.113.255"),
    ("224.0.0.0", "239.255.255.255"),
    ("240.0.0.0", "255.255.255.255"),
    ("::", "::"),
    ("::1", "::1"),
    ("fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("fec0::", "feff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("ff00::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"),
    ("100::", "100::ffff:ffff:ffff:ffff"),
    ("64:ff9b:1::", "64:ff9b:1:ffff:ffff:ffff:ffff:ffff"),
];

fn guard(mode: PrivateAddresses, networks: &[&str]) -> Guard {
    Guard { mode, networks: networks.iter().map(|n| n.parse().unwrap()).collect() }
}

fn deny(address: IpAddr) -> bool {
    !guard(PrivateAddresses::Auto, &[]).allows("host", address, Reach::Public)
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

#[test]
fn special_ranges_end_where_they_end() {
    let inside = |address: IpAddr| {
        SPECIAL.iter().any(|(a, b)| ip(a).is_ipv4() == address.is_ipv4() && (ip(a)..=ip(b)).contains(&address))
    };
    for (first, last) in SPECIAL {
        assert!(deny(ip(first)) && deny(ip(last)), "{first} {last}");
        let neighbours = match (ip(first), ip(last)) {
            (IpAddr::V4(a), IpAddr::V4(b)) => [a.to_bits().checked_sub(1), b.to_bits().checked_add(1)]
                .map(|bits| bits.map(|bits| IpAddr::V4(Ipv4Addr::from_bits(bits)))),
            (IpAddr::V6(a), IpAddr::V6(b)) => [a.to_bits().checked_sub(1), b.to_bits().checked_add(1)]
                .map(|bits| bits.map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits)))),
            _ => unreachable!("both ends are of one family"),
        };
        for neighbour in neighbours.into_iter().flatten() {
            // Neighbours of IPv6 ranges outside 2000::/3 are assigned to nobody.
            let global = neighbour.is_ipv4() || GLOBAL_V6.contains(neighbour);
            assert_eq!(deny(neighbour), inside(neighbour) || !global, "{neighbour} beside {first}");
        }
    }
}

/// S3.
#[test]
fn ipv4_inside_ipv6_is_unwrapped() {
    for (private, public) in [
        ("::ffff:127.0.0.1", "::ffff:8.8.8.8"),
        ("::ffff:10.1.2.3", "::ffff:808:808"),
        ("::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8"),
        ("::10.0.0.1", "::8.8.8.8"),
        ("2002:7f00:1::", "2002:808:808::1"),
        ("2002:a9fe:a9fe::", "2002:0101:0101::"),
        ("64:ff9b::7f00:1", "64:ff9b::808:808"),
        ("64:ff9b::169.254.169.254", "64:ff9b::1.1.1.1"),
        // Teredo: client 127.0.0.1 behind server 8.8.8.8; then a public client
        ("2001:0:808:808:0:0:80ff:fffe", "2001:0:808:808:0:0:f7f7:f7f7"),
        ("2001:0:a00:1:0:0:f7f7:f7f7", "2001:0:808:808::f7f7:f7f7"),
        ("2a00::5efe:10.0.0.1", "2a00::5efe:8.8.8.8"),
        ("2a00::200:5efe:127.0.0.1", "2a00::200:5efe:8.8.8.8"),
        ("fe80::5efe:8.8.8.8", "2a00:1450:4001::1"),
        ("64:ff9b:1::808:808", "2606:4700::1111"),
        ("64:ff9b:1:ffff::808:808", "2001:4860:4860::8888"),
        ("5f00::1", "2001:200::1"),
        ("4000::1", "2620:fe::fe"),
        ("3fff::1", "2400:cb00::1"),
    ] {
        assert!(deny(ip(private)), "{private}");
        assert!(!deny(ip(public)), "{public}");
    }
}

/// S9 and section 1 of the threat tables.
#[test]
fn modes_differ_in_private_ranges_only() {
    use PrivateAddresses::{Allow, Auto, Deny};
    let private =
        ["10.0.0.1", "172.31.1.1", "192.168.9.9", "100.64.0.1", "fd12::1", "::ffff:10.0.0.1", "64:ff9b::a00:1"];
    for address in private {
        for (mode, reach, allowed) in [
            (Auto, Reach::Public, false),
            (Auto, Reach::Private, true),
            (Allow, Reach::Public, true),
            (Deny, Reach::Private, false),
        ] {
            assert_eq!(guard(mode, &[]).allows("h", ip(address), reach), allowed, "{address} {mode:?} {reach:?}");
        }
    }
    let never = [
        "127.0.0.1",
        "::1",
        "0.0.0.0",
        "::",
        "169.254.169.254",
        "169.254.170.2",
        "fd00:ec2::254",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
        "fe80::1",
        "224.0.0.1",
        "255.255.255.255",
        "::ffff:169.254.169.254",
        "2002:a83f:8110::",
        "::ffff:168.63.129.16",
        "64:ff9b::6464:64c8",
        "fd20:ce::254",
    ];
    for address in never {
        for mode in [Auto, Allow, Deny] {
            assert!(!guard(mode, &["10.0.0.0/8"]).allows("h", ip(address), Reach::Private), "{address} {mode:?}");
        }
        let network = ip(address).to_string();
        assert!(
            guard(Deny, &[&network]).allows("h", ip(address), Reach::Public)
                || ip(address).to_canonical() != ip(address)
        );
    }
    assert!(guard(Deny, &["127.0.0.1/32"]).allows("h", ip("::ffff:127.0.0.1"), Reach::Public));
}

#[test]
fn metadata_names_reach_listed_networks_only() {
    for host in ["metadata.google.internal", "METADATA.google.internal.", "metadata.goog"] {
        assert!(!guard(PrivateAddresses::Allow, &[]).allows(host, ip("8.8.8.8"), Reach::Private), "{host}");
        assert!(guard(PrivateAddresses::Deny, &["8.8.8.0/24"]).allows(host, ip("8.8.8.8"), Reach::Public), "{host}");
    }
    assert!(guard(PrivateAddresses::Deny, &[]).allows("metadata.example.com", ip("8.8.8.8"), Reach::Public));
}

/// An address of each way to carry `a`.
fn carriers(a: Ipv4Addr, noise: u64) -> Vec<IpAddr> {
    let (low, wide) = (u128::from(a.to_bits()), u128::from(noise));
    [
        low,
        0xffff << 32 | low,
        0xffff << 48 | low,
        0x0064_ff9b << 96 | low,
        0x2002 << 112 | low << 80 | wide,
        0x2001_0000 << 96
            | u128::from(0x0808_0808_u32) << 64
            | wide << 32 & (0xffff_ffff << 32)
            | u128::from(!a.to_bits()),
        0x2001_0000 << 96 | low << 64 | wide,
        0x2a00 << 112 | 0x5efe << 32 | low,
        0x2a00 << 112 | 0x0200_5efe << 32 | low,
    ]
    .map(|bits| IpAddr::V6(Ipv6Addr::from_bits(bits)))
    .to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn no_special_address_passes_however_it_is_carried(range in 0..15_usize, offset in any::<u32>(), noise in any::<u64>()) {
        let (IpAddr::V4(first), IpAddr::V4(last)) = (ip(SPECIAL[range].0), ip(SPECIAL[range].1)) else { unreachable!() };
        let span = u64::from(last.to_bits() - first.to_bits()) + 1;
        let a = Ipv4Addr::from_bits(first.to_bits() + (u64::from(offset) % span) as u32);
        prop_assert!(deny(IpAddr::V4(a)));
        for carrier in carriers(a, noise) {
            prop_assert!(deny(carrier), "{carrier} carries {a}");
        }
    }

    #[test]
    fn special_ipv6_never_passes(range in 15..SPECIAL.len(), offset in any::<u128>()) {
        let (IpAddr::V6(first), IpAddr::V6(last)) = (ip(SPECIAL[range].0), ip(SPECIAL[range].1)) else { unreachable!() };
        let span = (last.to_bits() - first.to_bits()).saturating_add(1);
        prop_assert!(deny(IpAddr::V6(Ipv6Addr::from_bits(first.to_bits() + offset % span))));
    }

    #[test]
    fn public_means_what_the_standard_library_calls_so(bits in any::<u32>()) {
        let a = Ipv4Addr::from_bits(bits);
        if !deny(IpAddr::V4(a)) {
            prop_assert!(!(a.is_private() || a.is_loopback() || a.is_link_local() || a.is_unspecified()
                || a.is_broadcast() || a.is_documentation() || a.is_multicast()));
        }
    }
}
