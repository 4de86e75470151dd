//! Host patterns of accounts: which clients an account is for, and which account comes first.
//!
//! MySQL 8.4 Reference Manual 8.2.4, "Specifying Account Names", and 8.2.6, "Access Control,
//! Stage 1". Host names are not resolved: a client on the loopback interface is `localhost`, as it
//! is for a mysqld that resolves names; every other client is known by its address.

use std::net::IpAddr;

/// Where a client connects from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientHost {
    /// Through the Unix socket.
    Socket,
    /// Over TCP.
    Address(IpAddr),
}

impl ClientHost {
    /// The name under which MySQL would show the client: `localhost` or the address.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Socket => "localhost".to_owned(),
            Self::Address(address) if address.to_canonical().is_loopback() => {
                "localhost".to_owned()
            }
            Self::Address(address) => address.to_canonical().to_string(),
        }
    }

    fn matches(&self, pattern: &str) -> bool {
        if let Some((base, mask)) = pattern.split_once('/') {
            return self.is_in_network(base, mask);
        }
        let address = match self {
            Self::Socket => None,
            Self::Address(address) => Some(address.to_canonical().to_string()),
        };
        wildcard_match(pattern.as_bytes(), self.name().as_bytes())
            || address.is_some_and(|address| wildcard_match(pattern.as_bytes(), address.as_bytes()))
    }

    /// `192.0.2.0/255.255.255.0` and `192.0.2.0/24`.
    fn is_in_network(&self, base: &str, mask: &str) -> bool {
        let Self::Address(address) = self else {
            return false;
        };
        let (IpAddr::V4(address), Ok(base)) =
            (address.to_canonical(), base.parse::<std::net::Ipv4Addr>())
        else {
            return false;
        };
        let mask = match (mask.parse::<u32>(), mask.parse::<std::net::Ipv4Addr>()) {
            (Ok(0), _) => 0,
            (Ok(bits @ 1..=32), _) => u32::MAX << (32 - bits),
            (_, Ok(mask)) => u32::from(mask),
            _ => return false,
        };
        u32::from(address) & mask == u32::from(base) & mask
    }
}

/// Whether an account with this host pattern is for `client`.
#[must_use]
pub(super) fn host_matches(pattern: &str, client: &ClientHost) -> bool {
    pattern.is_empty() || client.matches(&pattern.to_ascii_lowercase())
}

/// Sorts host patterns as MySQL tries them: the most specific first. Literal names before
/// networks, networks before patterns, patterns by how late their first wildcard stands.
#[must_use]
pub(super) fn specificity(pattern: &str) -> (u8, usize) {
    match pattern.find(['%', '_']) {
        None if pattern.is_empty() => (0, 0),
        None if pattern.contains('/') => (2, pattern.len()),
        None => (3, pattern.len()),
        Some(0) if pattern == "%" => (1, 0),
        Some(first) => (1, first.saturating_add(1)),
    }
}

/// MySQL's `%` (any bytes), `_` (one byte) and backslash escapes, without backtracking beyond the
/// last `%`.
#[must_use]
pub fn wildcard_match(pattern: &[u8], text: &[u8]) -> bool {
    let (mut pattern, mut text) = (pattern, text);
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern, text) {
            ([], []) => return true,
            ([b'%', rest @ ..], _) => {
                retry = Some((rest, text));
                pattern = rest;
                continue;
            }
            ([b'_', p @ ..], [_, t @ ..]) => {
                (pattern, text) = (p, t);
                continue;
            }
            ([b'\\', literal, p @ ..], [byte, t @ ..]) if literal == byte => {
                (pattern, text) = (p, t);
                continue;
            }
            ([literal, p @ ..], [byte, t @ ..]) if *literal != b'\\' && literal == byte => {
                (pattern, text) = (p, t);
                continue;
            }
            _ => {}
        }
        match retry {
            Some((rest, [_, after @ ..])) => {
                retry = Some((rest, after));
                (pattern, text) = (rest, after);
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: &str) -> ClientHost {
        ClientHost::Address(address.parse().unwrap())
    }

    #[test]
    fn matches_hosts_as_mysql_documents() {
        for (pattern, client, expected) in [
            ("%", from("198.51.100.7"), true),
            ("", from("198.51.100.7"), true),
            ("%", ClientHost::Socket, true),
            ("localhost", ClientHost::Socket, true),
            ("LOCALHOST", ClientHost::Socket, true),
            ("localhost", from("127.0.0.1"), true),
            ("127.0.0.1", from("127.0.0.1"), true),
            ("127.0.0.1", ClientHost::Socket, false),
            ("localhost", from("198.51.100.7"), false),
            ("198.51.100.%", from("198.51.100.7"), true),
            ("198.51.100._", from("198.51.100.7"), true),
            ("198.51.100._", from("198.51.100.77"), false),
            ("198.51.100.0/255.255.255.0", from("198.51.100.7"), true),
            ("198.51.100.0/24", from("198.51.101.7"), false),
            ("0.0.0.0/0", from("198.51.101.7"), true),
            ("::1", from("::1"), true),
            ("198.51.100.7", from("::ffff:198.51.100.7"), true),
        ] {
            assert_eq!(
                host_matches(pattern, &client),
                expected,
                "{pattern} {client:?}"
            );
        }
    }

    #[test]
    fn wildcards_escape_and_backtrack() {
        for (pattern, text, expected) in [
            ("a%b%c", "axxbyybzc", true),
            ("a%b%c", "axxbyybz", false),
            ("a\\_c", "a_c", true),
            ("a\\_c", "abc", false),
            ("%", "", true),
            ("_", "", false),
            ("%%%", "x", true),
        ] {
            assert_eq!(
                wildcard_match(pattern.as_bytes(), text.as_bytes()),
                expected,
                "{pattern}"
            );
        }
    }

    #[test]
    fn literal_hosts_are_tried_before_networks_and_patterns() {
        let mut hosts = [
            "%",
            "198.%",
            "localhost",
            "198.51.100.%",
            "198.51.100.0/24",
            "",
        ];
        hosts.sort_by_key(|host| std::cmp::Reverse(specificity(host)));
        assert_eq!(
            hosts,
            [
                "localhost",
                "198.51.100.0/24",
                "198.51.100.%",
                "198.%",
                "%",
                ""
            ]
        );
    }
}
