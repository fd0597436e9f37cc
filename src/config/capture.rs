//! `[capture]`: what is recorded, and for how long.

use std::time::Duration;

use crate::base::units::ByteSize;

use super::{field::Field, message::say, model::Capture, table::Table};

/// Reads the table.
pub(super) fn read(table: &Table<'_>) -> Capture {
    let memory =
        say!("每个请求都会占用这么多内存", "each request in flight takes this much memory");
    let disk = say!("太小存不下一天，太大占满磁盘", "less holds no day, more fills a disk");
    let keep = read_keep(table);
    Capture {
        enabled: table.field("enabled").flag().unwrap_or(true),
        body_cap: table
            .field("body_cap")
            .size(ByteSize(0)..=ByteSize(16 << 20), &memory)
            .unwrap_or(ByteSize(256 << 10)),
        keep: keep.0,
        keep_meta: keep.1,
        max_size: table
            .field("max_size")
            .size(ByteSize(16 << 20)..=ByteSize(16 << 40), &disk)
            .unwrap_or(ByteSize(2 << 30)),
        redact: table
            .field("redact")
            .list(Field::field_name)
            .unwrap_or_else(|| vec!["session_key".to_owned()]),
        mask: table.field("mask").list(Field::field_name),
    }
}

/// `keep` and `keep_meta`; the line of an exchange must not go before its bodies.
fn read_keep(table: &Table<'_>) -> (Duration, Duration) {
    let why = say!("保存期限", "a time that a record is kept");
    let range = || Duration::from_secs(60)..=KEEP_MOST;
    let (keep, meta) = (table.field("keep"), table.field("keep_meta"));
    let keep_time = keep.duration(range(), &why).unwrap_or(Duration::from_secs(7 * 86_400));
    let meta_time = meta.duration(range(), &why).unwrap_or(Duration::from_secs(180 * 86_400));
    if meta_time < keep_time {
        let message = say!("keep_meta 短于 keep", "keep_meta is shorter than keep");
        let field = if meta.is_written() { &meta } else { &keep };
        field.refuse(message, Some(say!("请写得不短于 keep", "make it at least as long as keep")));
    }
    (keep_time, meta_time)
}

impl Field<'_> {
    /// The name of a JSON or query field.
    fn field_name(&self) -> Option<String> {
        let text = self.text()?;
        let good = |c: char| !c.is_control() && !c.is_whitespace() && c != '"';
        if (1..=128).contains(&text.len()) && text.chars().all(good) {
            return Some(text.to_owned());
        }
        self.not_a(text, &say!("字段名", "the name of a field"), None)
    }
}

/// Ten years, which is longer than any law asks for.
const KEEP_MOST: Duration = Duration::from_secs(3650 * 86_400);

#[cfg(test)]
mod tests {
    use super::super::testing::{accept, expect_problem};

    #[test]
    fn fields_are_lists_of_names_and_an_empty_mask_is_not_the_default_one() {
        let capture = accept("[capture]\nredact = []\nmask = []\n").capture;
        assert_eq!((capture.redact, capture.mask), (vec![], Some(vec![])));
        assert_eq!(accept("").capture.mask, None);
        expect_problem("[capture]\nredact = ['a b']\n", (2, "not the name of a field", ""));
        expect_problem("[capture]\nmask = ['a', 'a']\n", (2, "twice", ""));
        let text = "[capture]\nenabled = 'true'\n";
        expect_problem(text, (2, "must be true or false", "write true without"));
    }

    #[test]
    fn the_line_is_kept_at_least_as_long_as_its_bodies() {
        let text = "[capture]\nkeep = '7d'\nkeep_meta = '6d'\n";
        expect_problem(text, (3, "shorter than keep", ""));
        expect_problem("[capture]\nkeep = '181d'\n", (2, "shorter than keep", ""));
        accept("[capture]\nkeep = '7d'\nkeep_meta = '7d'\n");
        expect_problem("[capture]\nmax_size = '1MiB'\n", (2, "must be 16MiB to", ""));
    }
}
