//! `[token]`: surrogates and forced refreshes.

use std::time::Duration;

use super::{message::say, model::Token, table::Table};

/// Reads the table.
pub(super) fn read(table: &Table<'_>) -> Token {
    let life = say!(
        "更长的替身令牌丢失后危害更久",
        "a surrogate that lives longer does harm for longer when it is lost"
    );
    let forced = say!("平台每天最多 20 次", "the platform allows 20 a day");
    let forced = table.field("forced_per_day").count(0..=FORCED_MOST, &forced);
    Token {
        surrogate_life: table
            .field("surrogate_life")
            .duration(Duration::from_secs(1)..=SURROGATE_MOST, &life)
            .unwrap_or(Duration::from_secs(7200)),
        forced_per_day: forced.and_then(|n| u32::try_from(n).ok()).unwrap_or(10),
    }
}

/// SDKs store `expires_in` in seconds; a month is far beyond what any platform sends.
const SURROGATE_MOST: Duration = Duration::from_secs(30 * 86_400);

/// WeChat: `force_refresh` at most 20 times a day and account.
const FORCED_MOST: u64 = 20;

#[cfg(test)]
mod tests {
    use super::super::testing::{accept, expect_problem};

    #[test]
    fn lives_and_budgets_have_limits() {
        let token = accept("[token]\nsurrogate_life = '5s'\nforced_per_day = 0\n").token;
        assert_eq!((token.surrogate_life.as_secs(), token.forced_per_day), (5, 0));
        expect_problem("[token]\nsurrogate_life = '500ms'\n", (2, "must be 1s to 30d", ""));
        expect_problem("[token]\nforced_per_day = 21\n", (2, "must be 0 to 20", ""));
    }
}
