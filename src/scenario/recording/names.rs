//! Names of variables, each of them once.

use std::collections::BTreeSet;

/// The names that are taken.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// A name like `wanted` that nobody has: `order_id`, `order_id_2`.
    pub(super) fn fresh(&mut self, wanted: &str) -> String {
        let letters = wanted.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' });
        let plain: String = letters.collect();
        // `now` and `unix` are generators.
        let plain = if matches!(&*plain, "" | "now" | "unix" | "rfc3339") {
            format!("value_{plain}")
        } else {
            plain
        };
        let mut name = plain.clone();
        let mut count = 1;
        while !self.0.insert(name.clone()) {
            count += 1;
            name = format!("{plain}_{count}");
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_given_once_and_is_one() {
        let mut names = Names::default();
        assert_eq!(names.fresh("order_id"), "order_id");
        assert_eq!(names.fresh("order_id"), "order_id_2");
        assert_eq!(names.fresh("店-x"), "__x");
        assert_eq!(names.fresh("now"), "value_now");
    }
}
