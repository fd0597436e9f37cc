//! Both token families of an account with the rules by which they issue.

use serde::{Deserialize, Serialize};

use super::{
    ids::Ids,
    moment,
    refusal::Refusal,
    settings::{Settings, TooSoon},
    token_family::{Family, Issued, Standing},
};

/// The two families never touch each other.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Ledger {
    classic: Family,
    stable: Family,
    forced_in: i64,
    forced: u32,
    last_forced_ms: Option<i64>,
}

/// What a token call gives out.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Grant {
    /// The token.
    pub(super) access_token: String,
    /// Its remaining life.
    pub(super) expires_in_s: i64,
}

/// What a token's text is made from.
pub(super) struct Mint<'a> {
    /// Random parts.
    pub(super) ids: &'a Ids,
    /// The account's mark, by which a token is brought back to it.
    pub(super) tag: &'a str,
}

impl Ledger {
    /// `GET /cgi-bin/token`: always a new token.
    pub(super) fn grant_classic(
        &mut self,
        mint: &Mint<'_>,
        settings: &Settings,
        now_ms: i64,
    ) -> Grant {
        let kept = settings.classic_previous_kept as usize;
        let previous_life_ms = i64::from(settings.previous_life_s) * 1000;
        issue(&mut self.classic, mint, settings, (kept, previous_life_ms), now_ms)
    }

    /// WeCom's `GET /cgi-bin/gettoken`: the current token until it is dead.
    pub(super) fn grant_kept(
        &mut self,
        mint: &Mint<'_>,
        settings: &Settings,
        now_ms: i64,
    ) -> Grant {
        match self.classic.current(now_ms) {
            Some(current) => Grant::of(current, now_ms),
            None => issue(&mut self.classic, mint, settings, (0, 0), now_ms),
        }
    }

    /// `POST /cgi-bin/stable_token` in normal mode: the current token until its last minutes.
    pub(super) fn grant_stable(
        &mut self,
        mint: &Mint<'_>,
        settings: &Settings,
        now_ms: i64,
    ) -> Grant {
        let life_ms = i64::from(settings.token_life_s) * 1000;
        // A test's short lives keep the proportion that a client's early renewal counts on.
        let renewal_ms = HAND_OVER_MS.min(life_ms / 3);
        let current = self.stable.current(now_ms);
        if let Some(current) =
            current.filter(|token| token.expires_ms.saturating_sub(now_ms) > renewal_ms)
        {
            return Grant::of(current, now_ms);
        }
        let previous_life_ms = i64::from(settings.previous_life_s) * 1000;
        issue(&mut self.stable, mint, settings, (1, previous_life_ms), now_ms)
    }

    /// The same with `force_refresh`.
    pub(super) fn grant_forced(
        &mut self,
        mint: &Mint<'_>,
        settings: &Settings,
        now_ms: i64,
    ) -> Result<Grant, Refusal> {
        let apart_ms = i64::from(settings.forced_apart_s) * 1000;
        if self.last_forced_ms.is_some_and(|last| now_ms < last.saturating_add(apart_ms)) {
            return match settings.forced_too_soon {
                TooSoon::Current => Ok(self.grant_stable(mint, settings, now_ms)),
                TooSoon::Error => Err(Refusal::new(45009)),
            };
        }
        let day = moment::day(now_ms);
        if self.forced_in != day {
            (self.forced_in, self.forced) = (day, 0);
        }
        if self.forced >= settings.forced_a_day {
            return Err(Refusal::new(45009));
        }
        self.forced += 1;
        self.last_forced_ms = Some(now_ms);
        let previous_life_ms = i64::from(settings.forced_previous_life_s) * 1000;
        Ok(issue(&mut self.stable, mint, settings, (1, previous_life_ms), now_ms))
    }

    /// What becomes of a call with `text`.
    pub(super) fn standing(&self, text: &str, now_ms: i64) -> Standing {
        match self.stable.standing(text, now_ms) {
            Standing::Unknown => self.classic.standing(text, now_ms),
            known => known,
        }
    }

    /// Ends the life of every token: calls get 42001 until somebody fetches.
    pub(super) fn expire(&mut self, now_ms: i64) {
        self.classic.expire_all(now_ms);
        self.stable.expire_all(now_ms);
    }

    /// Another holder of the AppSecret fetched: every token out there is dead at once (40001),
    /// and a normal stable call gives the other holder's new one.
    pub(super) fn foreign_fetch(&mut self, mint: &Mint<'_>, settings: &Settings, now_ms: i64) {
        for family in [&mut self.classic, &mut self.stable] {
            if !family.is_empty() {
                issue(family, mint, settings, (0, 0), now_ms);
            }
        }
    }

    /// Remaining seconds of the current tokens, classic and stable.
    pub(super) fn remaining_s(&self, now_ms: i64) -> (Option<i64>, Option<i64>) {
        let remaining = |family: &Family| {
            family.current(now_ms).map(|t| t.expires_ms.saturating_sub(now_ms) / 1000)
        };
        (remaining(&self.classic), remaining(&self.stable))
    }

    /// Forced refreshes of today.
    pub(super) fn forced_today(&self, now_ms: i64) -> u32 {
        if self.forced_in == moment::day(now_ms) { self.forced } else { 0 }
    }
}

impl Grant {
    fn of(token: &Issued, now_ms: i64) -> Self {
        let expires_in_s = token.expires_ms.saturating_sub(now_ms) / 1000;
        Self { access_token: token.text.clone(), expires_in_s }
    }
}

impl Mint<'_> {
    /// A token's text. The tag stands behind the `_`; see [`tag_of`].
    pub(super) fn text(&self) -> String {
        let draw = self.ids.next();
        // Tokens seen in public have 136 to 157 characters, and a number before the `_` whose
        // meaning is not known.
        let length = 136 + (draw % 22) as usize;
        let number = 10 + (draw >> 32) % 90;
        let tail = self.ids.text(length - 3 - self.tag.len());
        format!("{number}_{}{tail}", self.tag)
    }
}

/// The mark of the account that a token belongs to; none for text that is no token.
pub(super) fn tag_of(token: &str) -> Option<&str> {
    let (_, rest) = token.split_once('_')?;
    rest.get(..TAG_LENGTH)
}

fn issue(
    family: &mut Family,
    mint: &Mint<'_>,
    settings: &Settings,
    (kept, previous_life_ms): (usize, i64),
    now_ms: i64,
) -> Grant {
    let text = mint.text();
    let expires_in_s = i64::from(settings.token_life_s);
    let expires_ms = now_ms.saturating_add(expires_in_s * 1000);
    family.issue(text.clone(), expires_ms, kept, previous_life_ms, now_ms);
    Grant { access_token: text, expires_in_s }
}

/// How long before its end normal mode replaces a token; old and new are both good meanwhile.
const HAND_OVER_MS: i64 = 300_000;
/// Characters of an account's mark: enough to tell accounts apart by chance alone.
pub(super) const TAG_LENGTH: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    struct Bench {
        ledger: Ledger,
        ids: Ids,
        settings: Settings,
    }

    impl Bench {
        fn new() -> Self {
            let settings = Settings::default();
            Self { ledger: Ledger::default(), ids: Ids::new(1, "t"), settings }
        }

        fn classic(&mut self, now_s: i64) -> Grant {
            let mint = Mint { ids: &self.ids, tag: "ABCDEFGHIJ" };
            self.ledger.grant_classic(&mint, &self.settings, now_s * 1000)
        }

        fn stable(&mut self, now_s: i64) -> Grant {
            let mint = Mint { ids: &self.ids, tag: "ABCDEFGHIJ" };
            self.ledger.grant_stable(&mint, &self.settings, now_s * 1000)
        }

        fn forced(&mut self, now_s: i64) -> Result<Grant, i64> {
            let mint = Mint { ids: &self.ids, tag: "ABCDEFGHIJ" };
            let granted = self.ledger.grant_forced(&mint, &self.settings, now_s * 1000);
            granted.map_err(|refusal| refusal.errcode)
        }

        fn standing(&self, grant: &Grant, now_s: i64) -> Standing {
            self.ledger.standing(&grant.access_token, now_s * 1000)
        }
    }

    #[test]
    fn every_classic_call_mints_and_the_previous_token_lives_300_s() {
        let mut bench = Bench::new();
        let (first, second) = (bench.classic(0), bench.classic(100));
        assert_ne!(first, second);
        assert_eq!(bench.standing(&first, 399), Standing::Good);
        assert_eq!(bench.standing(&first, 400), Standing::Replaced);
        let third = bench.classic(150);
        assert_eq!(bench.standing(&first, 150), Standing::Replaced, "only one previous");
        assert_eq!(bench.standing(&second, 150), Standing::Good);
        assert_eq!(bench.standing(&third, 7350), Standing::Expired);
    }

    #[test]
    fn normal_mode_gives_the_same_token_until_its_last_five_minutes() {
        let mut bench = Bench::new();
        let first = bench.stable(0);
        assert_eq!(first.expires_in_s, 7200);
        let again = bench.stable(6855);
        assert_eq!((&again.access_token, again.expires_in_s), (&first.access_token, 345));
        let second = bench.stable(6901);
        assert_ne!(second.access_token, first.access_token);
        assert_eq!(second.expires_in_s, 7200);
        assert_eq!(bench.standing(&first, 7199), Standing::Good, "both are good");
        assert_eq!(bench.standing(&first, 7200), Standing::Expired);
    }

    #[test]
    fn forcing_is_limited_to_20_a_day_30_s_apart() {
        let mut bench = Bench::new();
        let first = bench.stable(0);
        let second = bench.forced(10).unwrap();
        assert_ne!(first.access_token, second.access_token);
        assert_eq!(bench.forced(39).unwrap().access_token, second.access_token, "too soon");
        bench.settings.forced_too_soon = TooSoon::Error;
        assert_eq!(bench.forced(39), Err(45009));
        assert_eq!(bench.standing(&first, 39), Standing::Good);
        bench.forced(40).unwrap();
        assert_eq!(bench.standing(&first, 40), Standing::Replaced, "two in a row kill a token");
        for n in 2..20 {
            bench.forced(10 + n * 30).unwrap();
        }
        assert_eq!(bench.forced(10 + 20 * 30), Err(45009));
        assert!(bench.forced(86_400).is_ok());
    }

    #[test]
    fn families_do_not_touch_each_other_but_a_foreign_fetch_ends_both() {
        let mut bench = Bench::new();
        let (classic, stable) = (bench.classic(0), bench.stable(0));
        bench.classic(1);
        bench.forced(1).unwrap();
        assert_eq!(bench.standing(&stable, 2), Standing::Good);
        assert_eq!(bench.standing(&classic, 2), Standing::Good);
        let before = bench.stable(2);
        let mint = Mint { ids: &bench.ids, tag: "ABCDEFGHIJ" };
        bench.ledger.foreign_fetch(&mint, &bench.settings, 3000);
        for dead in [&classic, &stable, &before] {
            assert_eq!(bench.standing(dead, 3), Standing::Replaced);
        }
        let fresh = bench.stable(3);
        assert_ne!(fresh.access_token, before.access_token);
        assert_eq!(bench.standing(&fresh, 3), Standing::Good);
    }

    #[test]
    fn an_expired_token_is_replaced_by_the_next_normal_call() {
        let mut bench = Bench::new();
        let first = bench.stable(0);
        bench.ledger.expire(1000);
        assert_eq!(bench.standing(&first, 1), Standing::Expired);
        let second = bench.stable(1);
        assert_eq!(bench.standing(&second, 1), Standing::Good);
    }

    #[test]
    fn tokens_look_like_the_platforms_and_carry_their_account() {
        let mut bench = Bench::new();
        for _ in 0..100 {
            let text = bench.classic(0).access_token;
            assert!((136..=157).contains(&text.len()), "{}", text.len());
            let (number, rest) = text.split_once('_').unwrap();
            assert!(number.len() == 2 && number.bytes().all(|b| b.is_ascii_digit()));
            assert!(rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)));
            assert_eq!(tag_of(&text), Some("ABCDEFGHIJ"));
        }
        assert_eq!((tag_of("x"), tag_of("1_短"), tag_of("")), (None, None, None));
    }
}
