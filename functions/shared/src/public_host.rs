//! Which hosts are on the public internet: where Stripe can send, and where a probe of ours may go.
//!
//! The rule: nothing that is sent for somebody leaves for this machine or for a network around it, however
//! its address is written.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// Returns whether the address names a host that can be on the public internet. Names are not resolved.
pub fn names_public_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_public_name(name),
        Some(Host::Ipv4(address)) => is_public(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => is_public(IpAddr::V6(address)),
        None => false,
    }
}

/// Ends of names that the public DNS does not answer: IANA's special-use names (RFC 6761, 6762, 7686, 8375,
/// 9476), `internal`, which ICANN reserves for private use, and what networks at home and in offices use.
const PRIVATE_SUFFIXES: [&str; 13] = [
    "localhost",
    "local",
    "internal",
    "test",
    "invalid",
    "example",
    "onion",
    "alt",
    "home.arpa",
    "lan",
    "home",
    "corp",
    "localdomain",
];

/// Whether a name can be of the public DNS. One without a dot cannot: it is looked up in the network around.
fn is_public_name(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    let ends_with =
        |suffix: &str| name.strip_suffix(suffix).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    name.contains('.') && !PRIVATE_SUFFIXES.iter().any(|suffix| ends_with(suffix))
}

/// Returns whether the address can be reached from the internet. Ranges are from IANA's special-purpose
/// registries (RFC 6890 and its successors).
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => match embedded(v6) {
            Some(v4) => is_public_v4(v4),
            None => {
                let first = v6.segments()[0];
                let global = first & 0xe000 == 0x2000;
                let documentation = first == 0x2001 && v6.segments()[1] == 0x0db8;
                global && !documentation
            }
        },
    }
}

fn is_public_v4(v4: Ipv4Addr) -> bool {
    let [a, b, ..] = v4.octets();
    let shared = a == 100 && b & 0xc0 == 64;
    let protocol = a == 192 && b == 0 && v4.octets()[2] == 0;
    let benchmark = a == 198 && b & 0xfe == 18;
    let special = v4.is_private()
        || v4.is_loopback()
        || v4.is_link_local()
        || v4.is_documentation()
        || a == 0
        || a >= 224;
    !(special || shared || protocol || benchmark)
}

/// The IPv4 address that an IPv6 address stands for: mapped, or behind NAT64 or 6to4.
fn embedded(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let part = |high: u16, low: u16| Ipv4Addr::from(u32::from(high) << 16 | u32::from(low));
    match v6.segments() {
        [0, 0, 0, 0, 0, 0 | 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(part(high, low))
        }
        [0x2002, high, low, ..] => Some(part(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_of_the_internet_are_public() {
        let public = |host: &str| names_public_host(&Url::parse(&format!("https://{host}/x")).unwrap());
        for host in [
            "hooks.example.com",
            "8.8.8.8",
            "[2606:4700::1]",
            "localhost.example.com",
            "internal.example.com",
            "mytest.io",
            "xn--bcher-kva.example.com",
        ] {
            assert!(public(host), "{host}");
        }
        for host in [
            "localhost",
            "a.localhost.",
            "127.1",
            "10.0.0.1",
            "169.254.169.254",
            "[::1]",
            "[fd00::1]",
            "hooks",
            "hooks.",
            "hooks.local",
            "HOOKS.Internal",
            "x.test.",
            "a.b.home.arpa",
            "x.invalid",
            "x.example",
            "router.lan",
            "x.localdomain",
        ] {
            assert!(!public(host), "{host}");
        }
    }
}
