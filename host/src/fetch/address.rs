//! Which addresses plugins may cause the host to reach (IANA's registries of special addresses). Pure.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reach {
    /// In the internet.
    Public,
    /// This machine or a network of the merchant's: only with `allow_private`.
    Private,
    /// Nothing that a shop's partner could be behind: metadata of a cloud, link-local, multicast, documentation.
    Never,
}

/// Where clouds tell their machines secrets, beside 169.254.0.0/16.
const METADATA_V4: [Ipv4Addr; 2] = [
    // Alibaba
    Ipv4Addr::new(100, 100, 100, 200),
    // Azure
    Ipv4Addr::new(168, 63, 129, 16),
];
const METADATA_V6: [Ipv6Addr; 2] = [
    // Amazon
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    // Google
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

pub(super) fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => v6(address),
    }
}

fn v4(address: Ipv4Addr) -> Reach {
    if METADATA_V4.contains(&address) {
        return Reach::Never;
    }
    match address.octets() {
        [10 | 127, ..] | [192, 168, ..] => Reach::Private,
        [172, second, ..] if (16..32).contains(&second) => Reach::Private,
        // Shared by the customers of a carrier.
        [100, second, ..] if (64..128).contains(&second) => Reach::Private,
        // This network; link-local; protocols; documentation; benchmarks; multicast and all above.
        [0, ..]
        | [169, 254, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _] => Reach::Never,
        [first, ..] if first >= 224 => Reach::Never,
        _ => Reach::Public,
    }
}

fn v6(address: Ipv6Addr) -> Reach {
    if METADATA_V6.contains(&address) {
        return Reach::Never;
    }
    if address == Ipv6Addr::LOCALHOST {
        return Reach::Private;
    }
    let segments = address.segments();
    let inside = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // An IPv4 address in another dress: mapped, translated, NAT64, 6to4.
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => inside(high, low),
        // ISATAP has it in the interface's half, below any prefix.
        [first, .., 0 | 0x200, 0x5efe, high, low] => inside(high, low).max(by_prefix(first, segments)),
        [first, ..] => by_prefix(first, segments),
    }
}

fn by_prefix(first: u16, segments: [u16; 8]) -> Reach {
    match segments {
        // Protocols (Teredo and benchmarks too); documentation.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => Reach::Never,
        [0x3fff, second, ..] if second < 0x1000 => Reach::Never,
        _ => match first {
            0x2000..=0x3fff => Reach::Public,
            // Unique local, and the site-local of old.
            0xfc00..=0xfdff | 0xfec0..=0xfeff => Reach::Private,
            // Unspecified, link-local, multicast, discarded, and what nobody gave out.
            _ => Reach::Never,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_addresses() {
        use Reach::{Never, Private, Public};
        let table = [
            ("8.8.8.8", Public),
            ("1.1.1.1", Public),
            ("100.63.255.255", Public),
            ("100.128.0.0", Public),
            ("172.15.255.255", Public),
            ("172.32.0.1", Public),
            ("192.0.1.1", Public),
            ("223.255.255.255", Public),
            ("10.0.0.1", Private),
            ("10.255.255.255", Private),
            ("127.0.0.1", Private),
            ("127.255.255.254", Private),
            ("172.16.0.1", Private),
            ("172.31.255.255", Private),
            ("192.168.0.1", Private),
            ("100.64.0.1", Private),
            ("100.127.255.255", Private),
            ("0.0.0.0", Never),
            ("0.1.2.3", Never),
            ("169.254.169.254", Never),
            ("169.254.0.1", Never),
            ("169.254.170.2", Never),
            ("100.100.100.200", Never),
            ("168.63.129.16", Never),
            ("192.0.0.1", Never),
            ("192.0.0.192", Never),
            ("192.0.2.1", Never),
            ("198.51.100.1", Never),
            ("203.0.113.1", Never),
            ("192.88.99.1", Never),
            ("198.18.0.1", Never),
            ("198.19.255.255", Never),
            ("224.0.0.1", Never),
            ("239.255.255.250", Never),
            ("240.0.0.1", Never),
            ("255.255.255.255", Never),
            ("2606:4700:4700::1111", Public),
            ("2a00:1450::1", Public),
            ("2001:200::1", Public),
            ("::1", Private),
            ("fc00::1", Private),
            ("fd12:3456::1", Private),
            ("fec0::1", Private),
            ("::", Never),
            ("::2", Never),
            ("fe80::1", Never),
            ("fd00:ec2::254", Never),
            ("fd20:ce::254", Never),
            ("ff02::1", Never),
            ("100::1", Never),
            ("2001::1", Never),
            ("2001:2::1", Never),
            ("2001:10::1", Never),
            ("2001:db8::1", Never),
            ("3fff::1", Never),
            ("4000::1", Never),
            ("5f00::1", Never),
            // IPv4 inside.
            ("::ffff:8.8.8.8", Public),
            ("::ffff:127.0.0.1", Private),
            ("::ffff:10.0.0.1", Private),
            ("::ffff:169.254.169.254", Never),
            ("::ffff:0.0.0.0", Never),
            ("::ffff:0:10.0.0.1", Private),
            ("::127.0.0.1", Never),
            ("64:ff9b::8.8.8.8", Public),
            ("64:ff9b::10.0.0.1", Private),
            ("64:ff9b::169.254.169.254", Never),
            ("64:ff9b:1::8.8.8.8", Never),
            ("2002:808:808::1", Public),
            ("2002:a00:1::1", Private),
            ("2002:7f00:1::1", Private),
            ("2002:a9fe:a9fe::1", Never),
            ("2606:4700::5efe:10.0.0.1", Private),
            ("2606:4700::200:5efe:169.254.169.254", Never),
            ("fe80::5efe:8.8.8.8", Never),
            ("2606:4700::5efe:8.8.8.8", Public),
        ];
        for (address, expected) in table {
            assert_eq!(reach(address.parse().unwrap()), expected, "{address}");
        }
    }
}
