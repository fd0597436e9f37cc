//! The platform's errcodes: what each says, and what helps.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

pub use super::{
    errcode_class::{classify, is_ip_refusal, names_dead_token, names_dead_wecom_token},
    errcode_search::{nearest, search},
};
use crate::base::{
    kind::AccountKind,
    outcome::Outcome,
    permission::{UnknownWord, words},
};

words! {
    /// Which part of the platform a code belongs to: the same number means different things.
    Scope {
        /// Mini programs and official accounts.
        Wechat = "wechat",
        /// WeCom, on its own host.
        Wecom = "wecom",
        /// Third-party platforms.
        Open = "open",
        /// The transaction component, `/shop/`.
        Shop = "shop",
        /// WeChat Store, `/channels/ec/`.
        Store = "store",
    }
}

impl Scope {
    /// Where a code of this scope is looked up, nearest first. A platform acting for a merchant
    /// uses ordinary paths, so those can answer with its codes too. WeCom shares nothing.
    pub(super) fn chain(self) -> &'static [Self] {
        match self {
            Self::Wechat => &[Self::Wechat, Self::Open],
            Self::Wecom => &[Self::Wecom],
            Self::Open => &[Self::Open, Self::Wechat],
            Self::Shop => &[Self::Shop, Self::Wechat, Self::Open],
            Self::Store => &[Self::Store, Self::Wechat, Self::Open],
        }
    }
}

/// One meaning of a code. Texts point into the embedded file.
#[derive(Clone, Debug)]
pub struct Errcode {
    /// The number in `errcode`.
    pub code: i64,
    /// Where it has this meaning.
    pub scope: Scope,
    /// What it says, in Chinese.
    pub zh: &'static str,
    /// What it says, in English; often the text on the wire.
    pub en: &'static str,
    /// What an answer with it amounts to.
    pub class: Outcome,
    /// What helps, in Chinese; empty where nobody wrote it down. Then the class is a guess.
    pub cure_zh: &'static str,
    /// What helps, in English; empty like `cure_zh`.
    pub cure_en: &'static str,
    /// Where the row comes from: SDK sources or documentation.
    pub source: &'static str,
}

/// What a code means in a scope, or in the scopes that it falls back to.
#[must_use]
pub fn lookup(scope: Scope, code: i64) -> Option<&'static Errcode> {
    let meanings = meanings(code);
    scope.chain().iter().find_map(|scope| meanings.iter().find(|known| known.scope == *scope))
}

/// Everything that a code means anywhere.
#[must_use]
pub fn lookup_all(code: i64) -> Vec<&'static Errcode> {
    meanings(code).iter().collect()
}

/// The scope of an answer, by the account's kind and the path that was called.
#[must_use]
pub fn scope_of(kind: AccountKind, path: &str) -> Scope {
    match kind {
        AccountKind::Wecom => Scope::Wecom,
        AccountKind::MiniProgram
        | AccountKind::OfficialAccount
        | AccountKind::OpenPlatform
        | AccountKind::Generic => scope_of_path(path),
    }
}

fn scope_of_path(path: &str) -> Scope {
    if path.starts_with("/shop/") {
        Scope::Shop
    } else if path.starts_with("/channels/ec/") {
        Scope::Store
    } else if path.starts_with("/cgi-bin/component/") {
        Scope::Open
    } else {
        Scope::Wechat
    }
}

/// Every row, by code.
pub(super) fn all() -> &'static [Errcode] {
    &TABLE
}

fn meanings(code: i64) -> &'static [Errcode] {
    let begin = TABLE.partition_point(|row| row.code < code);
    let rest = TABLE.get(begin..).unwrap_or_default();
    let length = rest.partition_point(|row| row.code == code);
    rest.get(..length).unwrap_or_default()
}

static TABLE: LazyLock<Vec<Errcode>> = LazyLock::new(|| {
    let mut table: Vec<_> = rows().filter_map(parse).collect();
    table.sort_by_key(|row| (row.code, row.scope));
    table
});

/// The lines behind the heading.
fn rows() -> impl Iterator<Item = &'static str> {
    ERRCODES.lines().skip(1)
}

/// Reads one row; none if a column is missing or a word unknown, which a test excludes.
fn parse(row: &'static str) -> Option<Errcode> {
    let mut columns = row.split('\t');
    let mut next = || columns.next();
    Some(Errcode {
        code: next()?.parse().ok()?,
        scope: next()?.parse().ok()?,
        zh: next()?,
        en: next()?,
        class: next()?.parse().ok()?,
        cure_zh: next()?,
        cure_en: next()?,
        source: next()?,
    })
}

const ERRCODES: &str = include_str!("data/errcodes.tsv");

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_is_read_and_has_one_meaning_a_scope() {
        for row in rows() {
            assert!(parse(row).is_some(), "{row}");
        }
        assert_eq!(all().len(), rows().count());
        assert!(all().len() > 2600);
        let known: BTreeSet<_> = all().iter().map(|row| (row.code, row.scope)).collect();
        assert_eq!(known.len(), all().len());
        for row in all() {
            assert!(!row.zh.is_empty() && !row.en.is_empty(), "{row:?}");
            assert_eq!(row.cure_zh.is_empty(), row.cure_en.is_empty(), "{row:?}");
            assert_eq!(row.class == Outcome::Ok, row.code == 0, "{row:?}");
        }
    }

    #[test]
    fn a_scope_falls_back_to_its_neighbours_and_wecom_to_none() {
        assert_eq!(lookup(Scope::Shop, 1_040_003).unwrap().scope, Scope::Shop);
        assert_eq!(lookup(Scope::Shop, 40_001).unwrap().scope, Scope::Wechat);
        assert_eq!(lookup(Scope::Wechat, 61_004).unwrap().scope, Scope::Open);
        assert_eq!(lookup(Scope::Wecom, 60_020).unwrap().scope, Scope::Wecom);
        assert!(lookup(Scope::Wechat, 60_020).is_none() && lookup(Scope::Wecom, 61_004).is_none());
        assert!(lookup(Scope::Wechat, 123_454_321).is_none());
        let scopes: Vec<_> = lookup_all(40_001).iter().map(|row| row.scope).collect();
        assert_eq!(scopes, [Scope::Wechat, Scope::Wecom]);
        assert!(lookup_all(i64::MIN).is_empty() && lookup_all(i64::MAX).is_empty());
    }

    #[test]
    fn the_scope_follows_kind_and_path() {
        let of = |path| scope_of(AccountKind::MiniProgram, path);
        assert_eq!(of("/shop/spu/add"), Scope::Shop);
        assert_eq!(of("/channels/ec/order/get"), Scope::Store);
        assert_eq!(of("/cgi-bin/component/api_query_auth"), Scope::Open);
        assert_eq!(of("/cgi-bin/user/get"), Scope::Wechat);
        assert_eq!(of("/shopping"), Scope::Wechat);
        assert_eq!(scope_of(AccountKind::Wecom, "/shop/x"), Scope::Wecom);
    }
}
