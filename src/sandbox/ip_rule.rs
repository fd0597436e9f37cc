//! One entry of an account's IP allow list.

use std::{fmt, net::IpAddr, str::FromStr};

use crate::base::cidr::{Cidr, plain};

/// A single address, a CIDR, or `a.b.c.*`. Written back as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IpRule {
    text: String,
    network: Cidr,
}

impl IpRule {
    /// Whether the rule lets `address` pass.
    pub(super) fn allows(&self, address: IpAddr) -> bool {
        self.network.contains(address)
    }
}

impl FromStr for IpRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let network = match text.strip_suffix(".*") {
            Some(prefix) => format!("{prefix}.0/24").parse::<Cidr>(),
            None => text.parse(),
        };
        match network {
            Ok(network) => Ok(Self { text: text.to_owned(), network }),
            Err(_) => Err(format!("`{text}` is not 203.0.113.7, 203.0.113.0/24 or 203.0.113.*")),
        }
    }
}

impl serde::Serialize for IpRule {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> serde::Deserialize<'de> for IpRule {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The address twice, as the text of 40164 has it; the second form is the IPv6 spelling.
pub(super) struct SeenAddress(pub(super) IpAddr);

impl fmt::Display for SeenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match plain(self.0) {
            IpAddr::V4(v4) => write!(f, "{v4} ipv6 ::ffff:{v4}"),
            IpAddr::V6(v6) => write!(f, "{v6} ipv6 {v6}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_spellings_allow_what_they_name() {
        for (rule, inside, outside) in [
            ("203.0.113.7", "203.0.113.7", "203.0.113.8"),
            ("203.0.113.*", "203.0.113.200", "203.0.114.1"),
            ("10.0.0.0/8", "::ffff:10.9.9.9", "11.0.0.1"),
        ] {
            let rule: IpRule = rule.parse().unwrap();
            assert!(rule.allows(inside.parse().unwrap()));
            assert!(!rule.allows(outside.parse().unwrap()));
        }
        for bad in ["", "*", "1.2.*", "1.2.3.4:80", "1.2.3.4/33", "host"] {
            assert!(bad.parse::<IpRule>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_refused_address_is_written_in_both_families() {
        let seen = SeenAddress("::ffff:114.221.21.30".parse().unwrap()).to_string();
        assert_eq!(seen, "114.221.21.30 ipv6 ::ffff:114.221.21.30");
    }
}
