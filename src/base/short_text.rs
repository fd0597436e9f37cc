//! A short text that lives where it stands, without an allocation.

use std::{
    fmt::{self, Write as _},
    net::IpAddr,
    ops::Deref,
};

/// Up to `N` bytes; what does not fit is cut off. For ids and addresses, which every request
/// writes down more than once.
#[derive(Clone, Copy)]
pub struct ShortText<const N: usize> {
    bytes: [u8; N],
    length: usize,
}

impl<const N: usize> ShortText<N> {
    pub(super) fn new() -> Self {
        Self { bytes: [0; N], length: 0 }
    }

    pub(super) fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }
}

impl<const N: usize> Deref for ShortText<N> {
    type Target = str;

    fn deref(&self) -> &str {
        // Only whole characters are pushed: ASCII, or what fits of a `write!`.
        std::str::from_utf8(self.bytes.get(..self.length).unwrap_or_default()).unwrap_or_default()
    }
}

impl<const N: usize> fmt::Write for ShortText<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if text.len() > N - self.length {
            return Err(fmt::Error);
        }
        text.bytes().for_each(|byte| self.push(byte));
        Ok(())
    }
}

impl<const N: usize> fmt::Display for ShortText<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

/// An address as everybody writes it.
#[must_use]
pub fn ip_text(ip: IpAddr) -> ShortText<IP_MOST_BYTES> {
    let mut text = ShortText::new();
    match ip {
        IpAddr::V4(v4) => {
            for (at, octet) in v4.octets().into_iter().enumerate() {
                if at > 0 {
                    text.push(b'.');
                }
                push_octet(&mut text, octet);
            }
        }
        IpAddr::V6(v6) => {
            // The longest one has 45 characters.
            let _ = write!(text, "{v6}");
        }
    }
    text
}

fn push_octet<const N: usize>(text: &mut ShortText<N>, octet: u8) {
    if octet >= 100 {
        text.push(b'0' + octet / 100);
    }
    if octet >= 10 {
        text.push(b'0' + octet / 10 % 10);
    }
    text.push(b'0' + octet % 10);
}

/// `ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255`.
pub const IP_MOST_BYTES: usize = 45;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_the_standard_library_does() {
        for text in
            ["0.0.0.0", "9.10.99.100", "203.0.113.255", "::1", "2001:db8::a:b", "::ffff:1.2.3.4"]
        {
            let ip: IpAddr = text.parse().unwrap();
            assert_eq!(&*ip_text(ip), ip.to_string());
        }
        let longest = "fff1:fff2:fff3:fff4:fff5:fff6:fff7:fff8".parse().unwrap();
        assert_eq!(ip_text(longest).to_string().len(), 39);
    }

    #[test]
    fn what_does_not_fit_is_cut_off_and_never_in_the_middle_of_a_character() {
        let mut text = ShortText::<4>::new();
        assert!(write!(text, "ab").is_ok() && write!(text, "中").is_err());
        text.push(b'c');
        text.push(b'd');
        text.push(b'e');
        assert_eq!(&*text, "abcd");
    }
}
