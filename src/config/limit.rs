//! `[limits]` for all, and `[[account.limit]]` for the paths of one account.

use std::num::NonZeroU32;

use crate::base::units::{ByteSize, Per, Rate};

use super::{
    field::Field,
    message::say,
    model::{Limits, PathLimit},
    suggest::write,
    table::Table,
};

/// Reads `[limits]`.
pub(super) fn read(table: &Table<'_>) -> Limits {
    let slots = say!("每个请求都占内存", "each request takes memory, and none would be none");
    let sockets = say!("受本机端口数限制", "a host has no more ports towards one address");
    let replay =
        say!("每个请求都会占用这么多内存", "each request in flight takes this much memory");
    Limits {
        per_key: table.field("per_key").rate(),
        in_flight: count_or(&table.field("in_flight"), 1_000_000, &slots, 10_000),
        max_connections: count_or(&table.field("max_connections"), 65_535, &sockets, 256),
        replay_cap: table
            .field("replay_cap")
            .size(ByteSize(0)..=ByteSize(1 << 20), &replay)
            .unwrap_or(ByteSize(64 << 10)),
    }
}

/// A count from 1 on; 0 would refuse everything, which nobody means.
fn count_or(field: &Field<'_>, most: u64, why: &super::message::Message, default: usize) -> usize {
    field.count(1..=most, why).and_then(|count| usize::try_from(count).ok()).unwrap_or(default)
}

/// Reads the limits of an account.
pub(super) fn read_path_limits(account: &Table<'_>) -> Vec<PathLimit> {
    let mut limits: Vec<PathLimit> = Vec::new();
    for table in account.tables("limit") {
        let path = table.field("path");
        let Some(limit) = read_path_limit(&table, &path) else { continue };
        if limits.iter().any(|other| other.path == limit.path) {
            path.refuse(say!("这个路径已有限频", "this path has a limit already"), None);
        }
        limits.push(limit);
    }
    limits
}

/// Both mistakes of a table with two are noted before it is given up.
fn read_path_limit(table: &Table<'_>, path: &Field<'_>) -> Option<PathLimit> {
    let rate_field = table.field("rate");
    path.require(say!("path = \"/cgi-bin/message/**\"", "path = \"/cgi-bin/message/**\""));
    rate_field.require(say!("rate = \"100/s\"", "rate = \"100/s\""));
    let (path, rate) = (path.path_pattern(), rate_field.rate());
    let burst = read_burst(&table.field("burst"), rate);
    let (path, rate) = (path?, rate?);
    Some(PathLimit { path, rate, burst: burst.unwrap_or(rate.calls) })
}

/// The day is counted in the database, the shorter times in a bucket that has a size.
fn read_burst(field: &Field<'_>, rate: Option<Rate>) -> Option<NonZeroU32> {
    let why = say!("一次可用完的次数", "calls that may come at once");
    let burst = field.count(1..=1_000_000, &why)?;
    if rate.is_some_and(|rate| rate.per == Per::Day && u64::from(rate.calls.get()) != burst) {
        let message =
            say!("按天计数没有突发", "a limit by the day is a plain count, without a burst");
        field.refuse(message, Some(say!("请删去 burst", "remove burst")));
    }
    NonZeroU32::new(u32::try_from(burst).ok()?)
}

impl Field<'_> {
    /// `/cgi-bin/message/**`: segments as requests have them, `*` for one, `**` for any number.
    fn path_pattern(&self) -> Option<String> {
        let text = self.text()?;
        let mut segments = text.split('/');
        let rooted = segments.next() == Some("") && text.len() > 1;
        let good = |segment: &str| matches!(segment, "*" | "**") || is_segment(segment);
        if rooted && text.len() <= PATH_BYTES && segments.all(good) {
            return Some(text.to_owned());
        }
        let wanted = say!(
            "路径模式：以 / 开头，* 代表一段，** 代表任意多段",
            "a path pattern: it begins with /, * is one segment, ** any number"
        );
        self.not_a(text, &wanted, Some(write("\"/cgi-bin/message/**\"")))
    }

    /// `/cgi-bin/` or `/cgi-bin/user`: what a path may begin with.
    pub(super) fn path_prefix(&self) -> Option<String> {
        let text = self.text()?;
        let mut segments = text.split('/');
        let rooted = segments.next() == Some("") && text.len() <= PATH_BYTES;
        let count = text.matches('/').count();
        // One trailing slash is part of many prefixes; an empty segment elsewhere is not.
        let good = |(i, segment): (usize, &str)| {
            is_segment(segment) || segment.is_empty() && i + 1 == count
        };
        if rooted && segments.enumerate().all(good) {
            return Some(text.to_owned());
        }
        let wanted = say!(
            "以 / 开头的路径前缀，不含通配符",
            "a path prefix: it begins with / and has no wildcard"
        );
        let bare = text.trim_end_matches('*');
        let advice = (bare != text && bare.starts_with('/'))
            .then(|| write(&format!("\"{}\"", bare.replace('"', ""))));
        self.not_a(text, &wanted, advice)
    }
}

/// What the front door lets through as a segment of a path.
fn is_segment(segment: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'~' | b'@' | b'-');
    !segment.is_empty() && segment.bytes().all(good) && segment != "." && segment != ".."
}

/// No call has a longer path.
const PATH_BYTES: usize = 1024;

#[cfg(test)]
mod tests {
    use super::super::testing::{accept, expect_problem};

    fn limit(lines: &str) -> String {
        format!(
            "[[account]]\nname = 'a'\nkind = 'generic'\nupstream = 'sandbox'\n\
             [[account.limit]]\n{lines}\n"
        )
    }

    #[test]
    fn a_path_limit_has_a_pattern_and_a_rate_and_its_burst_follows_the_rate() {
        let config = accept(&limit("path = '/cgi-bin/*/get'\nrate = '600/m'"));
        assert_eq!(config.accounts[0].limits[0].burst.get(), 600);
        for (lines, line, says, advice) in [
            ("rate = '1/s'", 5, "path is missing", ""),
            ("path = '/x'", 5, "rate is missing", ""),
            ("path = 'cgi-bin'\nrate = '1/s'", 6, "not a path pattern", "/cgi-bin/message/**"),
            ("path = '/'\nrate = '1/s'", 6, "not a path pattern", ""),
            ("path = '/a//b'\nrate = '1/s'", 6, "not a path pattern", ""),
            ("path = '/a*'\nrate = '1/s'", 6, "not a path pattern", ""),
            ("path = '/a/../b'\nrate = '1/s'", 6, "not a path pattern", ""),
            ("path = '/x'\nrate = '1/s'\nburst = 0", 8, "must be 1 to 1000000", ""),
            ("path = '/x'\nrate = '10/d'\nburst = 2", 8, "without a burst", "remove burst"),
            ("path = '/x'\nrate = '1/s'\nown_tokens = true", 8, "unknown key", "[[account]]"),
        ] {
            expect_problem(&limit(lines), (line, says, advice));
        }
        let twice = "path = '/x'\nrate = '1/s'\n[[account.limit]]\npath = '/x'\nrate = '2/s'";
        expect_problem(&limit(twice), (9, "has a limit already", ""));
    }

    #[test]
    fn global_limits_have_ends() {
        let limits =
            accept("[limits]\nreplay_cap = '1MiB'\nin_flight = 1\nper_key = '50/s'\n").limits;
        assert_eq!((limits.in_flight, limits.per_key.unwrap().to_string().as_str()), (1, "50/s"));
        for (line, says) in [
            ("replay_cap = '2MiB'", "must be 0B to 1MiB"),
            ("in_flight = 0", "must be 1 to 1000000"),
            ("max_connections = 65536", "must be 1 to 65535"),
        ] {
            expect_problem(&format!("[limits]\n{line}\n"), (2, says, ""));
        }
    }
}
