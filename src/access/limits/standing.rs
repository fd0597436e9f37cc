//! Where a caller stands with the limits that apply to a request, as header fields tell it.

use std::{fmt, sync::Arc, time::Duration};

use http::HeaderValue;

use crate::base::units::Rate;

/// Which limit: `key`, or the path pattern of an `[[account.limit]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LimitName {
    /// The key's own rate, or `[limits] per_key`.
    Key,
    /// The pattern as proxy.toml has it.
    Path(Arc<str>),
}

impl fmt::Display for LimitName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => f.pad("key"),
            Self::Path(pattern) => f.pad(pattern),
        }
    }
}

/// One limit after it was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Level {
    pub(super) name: LimitName,
    pub(super) rate: Rate,
    /// Calls that would be let in now. More than the rate's calls where a burst is larger.
    pub(super) remaining: u32,
    /// Until the limit is as good as new; for a limit that refused: until it lets one call in.
    pub(super) reset: Duration,
}

/// All limits that applied to a request, the tightest first. Empty, and without memory of its
/// own, where none applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing(Vec<Level>);

impl Standing {
    /// Whether no limit applied.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The field `RateLimit`: what is left (`r`), and seconds until it is whole again (`t`).
    /// Source: draft-ietf-httpapi-ratelimit-headers-10, section 4. None where no limit applied.
    #[must_use]
    pub fn rate_limit(&self) -> Option<HeaderValue> {
        self.field(|level, out| {
            let seconds = whole_seconds(level.reset);
            fmt::Write::write_fmt(
                out,
                format_args!("\"{}\";r={};t={seconds}", level.name, level.remaining),
            )
        })
    }

    /// The field `RateLimit-Policy`: the rate as it was written, calls (`q`) in seconds (`w`).
    /// None where no limit applied.
    #[must_use]
    pub fn policy(&self) -> Option<HeaderValue> {
        self.field(|level, out| {
            let window = level.rate.per.duration().as_secs();
            fmt::Write::write_fmt(
                out,
                format_args!("\"{}\";q={};w={window}", level.name, level.rate.calls),
            )
        })
    }

    /// Adds a limit; the order is made by [`Standing::sorted`].
    pub(super) fn push(&mut self, level: Level) {
        self.0.push(level);
    }

    /// The tightest first: the fewest calls left, then the longest wait.
    pub(super) fn sorted(mut self) -> Self {
        self.0.sort_by_key(|level| (level.remaining, std::cmp::Reverse(level.reset)));
        self
    }

    /// As it is after every limit got its call back.
    fn put_back(mut self) -> Self {
        for level in &mut self.0 {
            level.remaining = level.remaining.saturating_add(1);
        }
        self.sorted()
    }

    /// Writes one item for each limit. A name cannot break out of its quotes: a pattern has
    /// neither `"` nor `\`.
    fn field(&self, item: impl Fn(&Level, &mut String) -> fmt::Result) -> Option<HeaderValue> {
        let mut out = String::new();
        for level in &self.0 {
            if !out.is_empty() {
                out.push_str(", ");
            }
            item(level, &mut out).ok()?;
        }
        if out.is_empty() { None } else { HeaderValue::try_from(out).ok() }
    }
}

/// A limit is used up. Nothing was taken from the other limits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the limit `{limit}` of {rate} is used up; try again in {} s", whole_seconds(*.retry_after))]
pub struct Limited {
    /// The limit that refused.
    pub limit: LimitName,
    /// How much it allows.
    pub rate: Rate,
    /// When it would let one call in.
    pub retry_after: Duration,
    /// The limit that refused, then those that were asked before it.
    pub standing: Standing,
}

impl Limited {
    /// A refusal by `limit`; `asked` let the call in and have it back.
    pub(super) fn new(limit: LimitName, rate: Rate, wait: Duration, asked: Standing) -> Self {
        let refused = Level { name: limit.clone(), rate, remaining: 0, reset: wait };
        let mut levels = vec![refused];
        levels.extend(asked.put_back().0);
        Self { limit, rate, retry_after: wait, standing: Standing(levels) }
    }

    /// The field `Retry-After`, in whole seconds, at least 1.
    #[must_use]
    pub fn retry_after_field(&self) -> HeaderValue {
        HeaderValue::from(whole_seconds(self.retry_after))
    }
}

/// Rounded up, so that who waits so long is not refused again; at least 1.
fn whole_seconds(time: Duration) -> u64 {
    let up = u64::from(time.subsec_nanos() > 0);
    time.as_secs().saturating_add(up).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(name: LimitName, rate: &str, remaining: u32, reset_ms: u64) -> Level {
        let reset = Duration::from_millis(reset_ms);
        Level { name, rate: rate.parse().unwrap(), remaining, reset }
    }

    #[test]
    fn the_fields_are_those_of_the_draft_with_the_tightest_first() {
        let mut standing = Standing::default();
        assert_eq!((standing.rate_limit(), standing.policy()), (None, None));
        standing.push(level(LimitName::Key, "50/s", 49, 20));
        standing.push(level(LimitName::Path("/cgi-bin/message/**".into()), "1000/d", 7, 3_600_000));
        let standing = standing.sorted();
        assert_eq!(
            standing.rate_limit().unwrap(),
            "\"/cgi-bin/message/**\";r=7;t=3600, \"key\";r=49;t=1"
        );
        assert_eq!(
            standing.policy().unwrap(),
            "\"/cgi-bin/message/**\";q=1000;w=86400, \"key\";q=50;w=1"
        );
    }

    #[test]
    fn a_refusal_stands_first_and_the_others_have_their_call_back() {
        let mut asked = Standing::default();
        asked.push(level(LimitName::Key, "50/s", 0, 1000));
        let wait = Duration::from_millis(1500);
        let limited =
            Limited::new(LimitName::Path("/shop/**".into()), "2/m".parse().unwrap(), wait, asked);
        assert_eq!(limited.standing.rate_limit().unwrap(), "\"/shop/**\";r=0;t=2, \"key\";r=1;t=1");
        assert_eq!(limited.retry_after_field(), "2");
        assert_eq!(limited.to_string(), "the limit `/shop/**` of 2/m is used up; try again in 2 s");
    }

    #[test]
    fn seconds_are_rounded_up_and_never_zero() {
        for (ms, seconds) in [(0, 1), (1, 1), (1000, 1), (1001, 2), (59_999, 60)] {
            assert_eq!(whole_seconds(Duration::from_millis(ms)), seconds, "{ms}");
        }
    }
}
