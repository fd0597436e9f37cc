//! All that is known about what was asked.

use std::net::IpAddr;

use serde::Serialize;

use super::{gateway_does, pasted};
use crate::{
    base::{code::ErrorCode, kind::AccountKind, outcome::Outcome},
    wechat::{
        errcode::{self, Errcode, Scope, is_ip_refusal},
        refusal,
    },
};

/// The answer, as `--json` prints it.
#[derive(Debug, Serialize)]
pub(super) struct Answer {
    /// The errcode that was asked about; none for words.
    pub(super) errcode: Option<i64>,
    /// The platform's meanings; the most useful first.
    pub(super) meanings: Vec<Meaning>,
    /// One of the gateway's own codes.
    pub(super) own: Option<Own>,
    /// How many meanings were left out.
    pub(super) more: usize,
    /// The address that the pasted text names.
    pub(super) refused_ip: Option<IpAddr>,
    /// Where an address is entered, by kind of account.
    pub(super) enter_ip_at: Vec<Menu>,
    /// Codes that may have been meant by an unknown one.
    pub(super) did_you_mean: Vec<Meaning>,
}

/// One meaning of a code.
#[derive(Debug, Serialize)]
pub(super) struct Meaning {
    pub(super) errcode: i64,
    pub(super) scope: Scope,
    pub(super) class: Outcome,
    pub(super) zh: &'static str,
    pub(super) en: &'static str,
    pub(super) cure_zh: &'static str,
    pub(super) cure_en: &'static str,
    pub(super) gateway_zh: &'static str,
    pub(super) gateway_en: &'static str,
}

/// A code of the gateway itself.
#[derive(Debug, Serialize)]
pub(super) struct Own {
    pub(super) code: &'static str,
    pub(super) errcode: i64,
    pub(super) http_status: u16,
    pub(super) zh: &'static str,
    pub(super) en: &'static str,
    pub(super) cure_zh: &'static str,
    pub(super) cure_en: &'static str,
}

/// Where an address is entered.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Menu {
    pub(super) zh: &'static str,
    pub(super) en: &'static str,
}

impl Answer {
    /// Whether anything was found.
    pub(super) fn is_known(&self) -> bool {
        !self.meanings.is_empty() || self.own.is_some()
    }
}

/// Answers an errcode, a pasted error, the name of one of our own codes, or words.
pub(super) fn to(asked: &str) -> Answer {
    let own_by_name = ErrorCode::from_name(asked.trim());
    let pasted = pasted::read(asked);
    let errcode =
        own_by_name.map(ErrorCode::errcode).or_else(|| pasted.as_ref().map(|p| p.errcode));
    let found = errcode.map_or_else(|| errcode::search(asked), errcode::lookup_all);
    let own = errcode.and_then(ErrorCode::from_errcode).map(own);
    let nearest = match errcode {
        Some(errcode) if found.is_empty() && own.is_none() => errcode::nearest(errcode),
        _ => Vec::new(),
    };
    Answer {
        errcode,
        more: found.len().saturating_sub(MEANINGS_MOST),
        meanings: found.into_iter().take(MEANINGS_MOST).map(meaning).collect(),
        own,
        refused_ip: pasted.and_then(|p| refusal::refused_ip(p.errcode, &p.errmsg)),
        enter_ip_at: errcode.map_or_else(Vec::new, menus),
        did_you_mean: nearest.into_iter().map(meaning).collect(),
    }
}

fn meaning(known: &Errcode) -> Meaning {
    let (gateway_zh, gateway_en) = gateway_does::about(known.scope, known.code, known.class);
    Meaning {
        errcode: known.code,
        scope: known.scope,
        class: known.class,
        zh: known.zh,
        en: known.en,
        cure_zh: known.cure_zh,
        cure_en: known.cure_en,
        gateway_zh,
        gateway_en,
    }
}

fn own(code: ErrorCode) -> Own {
    let [zh, en, cure_zh, cure_en] = crate::proxy::explain(code);
    Own {
        code: code.name(),
        errcode: code.errcode(),
        http_status: code.status().as_u16(),
        zh,
        en,
        cure_zh,
        cure_en,
    }
}

/// The menus of every kind of account that can be refused with this code.
fn menus(errcode: i64) -> Vec<Menu> {
    if !is_ip_refusal(errcode) {
        return Vec::new();
    }
    let mut menus = Vec::new();
    for kind in [AccountKind::MiniProgram, AccountKind::OfficialAccount] {
        let (zh, en) = refusal::where_to_enter(kind, errcode);
        let menu = Menu { zh, en };
        if !menus.contains(&menu) {
            menus.push(menu);
        }
    }
    menus
}

/// More than a screen helps nobody.
const MEANINGS_MOST: usize = 10;
