//! The platform's number for a call: `617682e0-1a2b3c4d-5e6f7a8b`.

use std::{
    fmt,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Names one call for `openapi/rid/get`, for seven days. Three groups of eight hex digits:
/// the first is the second of the call since 1970, the others say nothing to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rid {
    unix_s: u32,
    rest: u64,
}

impl Rid {
    /// Makes one, as the platform would for a call at `now`; `rest` tells calls of the same
    /// second apart.
    #[must_use]
    pub fn new(now: SystemTime, rest: u64) -> Self {
        let unix_s = now.duration_since(UNIX_EPOCH).map_or(0, |age| age.as_secs());
        Self { unix_s: u32::try_from(unix_s).unwrap_or(u32::MAX), rest }
    }

    /// When the platform saw the call, to the second.
    #[must_use]
    pub fn time(self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(u64::from(self.unix_s))
    }
}

impl fmt::Display for Rid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}-{:08x}-{:08x}", self.unix_s, self.rest >> 32, self.rest & 0xFFFF_FFFF)
    }
}

impl FromStr for Rid {
    type Err = NotARid;

    fn from_str(text: &str) -> Result<Self, NotARid> {
        let mut groups = text.split('-');
        let mut next = || groups.next().and_then(group).ok_or(NotARid);
        let (first, second, third) = (next()?, next()?, next()?);
        match groups.next() {
            Some(_) => Err(NotARid),
            None => Ok(Self { unix_s: first, rest: u64::from(second) << 32 | u64::from(third) }),
        }
    }
}

/// The text is no rid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a rid has three groups of eight hex digits, as in 617682e0-1a2b3c4d-5e6f7a8b")]
pub struct NotARid;

/// The rid in an `errmsg`, as it stands there: behind the last `rid:`.
#[must_use]
pub fn find(errmsg: &str) -> Option<&str> {
    let (_, behind) = errmsg.rsplit_once("rid:")?;
    let text = behind.trim_start().get(..LENGTH)?;
    text.parse::<Rid>().ok().map(|_| text)
}

/// Eight hex digits, nothing else: `u32::from_str_radix` alone would let a sign pass.
fn group(text: &str) -> Option<u32> {
    let is_hex = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex { u32::from_str_radix(text, 16).ok() } else { None }
}

const LENGTH: usize = 26;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_group_is_the_second_of_the_call() {
        let rid: Rid = "617682e0-1a2b3c4d-5e6f7a8b".parse().unwrap();
        assert_eq!(rid.time(), UNIX_EPOCH + Duration::from_secs(1_635_156_704));
        assert_eq!(rid.to_string(), "617682e0-1a2b3c4d-5e6f7a8b");
        assert_eq!(Rid::new(rid.time(), 0x1a2b_3c4d_5e6f_7a8b), rid);
        let before_1970 = Rid::new(UNIX_EPOCH - Duration::from_secs(1), 1);
        assert_eq!(before_1970.to_string(), "00000000-00000000-00000001");
    }

    #[test]
    fn it_is_found_in_every_wording_and_nothing_else_is() {
        for text in [
            "invalid appid rid: 658cff8e-7783352d-44cb33e5",
            "system error, rid: 658cff8e-7783352d-44cb33e5",
            "x rid:658cff8e-7783352d-44cb33e5 more",
            "rid: no rid: 658cff8e-7783352d-44cb33e5",
        ] {
            assert_eq!(find(text), Some("658cff8e-7783352d-44cb33e5"), "{text}");
        }
        for text in [
            "",
            "rid:",
            "rid: ",
            "rid: 658cff8e-7783352d-44cb33e",
            "rid: 658cff8e-7783352d-44cb33eg",
            "rid: +58cff8e-7783352d-44cb33e5",
            "wxgate: unknown key rid: 01KAN8MBSXE3TNYPDCVF6G2Q7H",
            "rid: 中中中中中中中中中中中中中中",
            "hint: [KJZfAa0644e575]",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
        for text in
            ["658cff8e-7783352d", "658cff8e-7783352d-44cb33e5-", "-658cff8e-7783352d-44cb33e5"]
        {
            assert_eq!(text.parse::<Rid>(), Err(NotARid), "{text}");
        }
    }
}
