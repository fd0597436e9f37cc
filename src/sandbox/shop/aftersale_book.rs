//! All after-sales of an account.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    aftersale::Aftersale,
    fields::{Fields, number, text},
};
use crate::sandbox::refusal::Refusal;

/// After-sales by the platform's id, which grows.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sandbox) struct AftersaleBook {
    aftersales: BTreeMap<u64, Aftersale>,
    by_out_aftersale_id: BTreeMap<String, u64>,
    by_order: BTreeMap<u64, Vec<u64>>,
}

impl AftersaleBook {
    /// Puts a new after-sale in.
    pub(in crate::sandbox) fn add(&mut self, aftersale: Aftersale) -> Result<(), Refusal> {
        if self.aftersales.len() >= MOST_AFTERSALES {
            return Err(Refusal::with(-1, "the sandbox is full, reset it"));
        }
        let id = aftersale.aftersale_id;
        if !aftersale.out_aftersale_id.is_empty() {
            self.by_out_aftersale_id.insert(aftersale.out_aftersale_id.clone(), id);
        }
        self.by_order.entry(aftersale.order_id).or_default().push(id);
        self.aftersales.insert(id, aftersale);
        Ok(())
    }

    /// An id that follows on all others; above 2^53 where large ids are asked for.
    pub(in crate::sandbox) fn next_id(&self, step: u64, is_large: bool) -> u64 {
        let newest = self.aftersales.last_key_value().map_or(FIRST_ID, |(id, _)| *id);
        let lowest = if is_large { newest.max(FIRST_LARGE_ID) } else { newest };
        lowest.saturating_add(1 + step % LONGEST_STEP)
    }

    /// An after-sale.
    pub(in crate::sandbox) fn aftersale(&self, aftersale_id: u64) -> Option<&Aftersale> {
        self.aftersales.get(&aftersale_id)
    }

    /// An after-sale, to be changed.
    pub(in crate::sandbox) fn aftersale_mut(&mut self, id: u64) -> Option<&mut Aftersale> {
        self.aftersales.get_mut(&id)
    }

    /// The after-sale that the merchant calls so.
    pub(in crate::sandbox) fn by_out_aftersale_id(&self, out: &str) -> Option<&Aftersale> {
        self.aftersales.get(self.by_out_aftersale_id.get(out)?)
    }

    /// The after-sale that a body names by either id, or by both where they agree: 2747002 where
    /// there is none, or it is another buyer's.
    pub(in crate::sandbox) fn find(&self, body: &Fields) -> Result<&Aftersale, Refusal> {
        let out = text(body, "out_aftersale_id");
        let found = match (number(body, "aftersale_id").filter(|id| *id != 0), out) {
            (Some(id), _) => self.aftersales.get(&id),
            (None, Some(out)) => self.by_out_aftersale_id(out),
            (None, None) => {
                return Err(Refusal::with(2_747_002, "aftersale_id or out_aftersale_id"));
            }
        };
        let is_same = |one: &&Aftersale| out.is_none_or(|out| out == one.out_aftersale_id);
        let is_buyers = |one: &&Aftersale| text(body, "openid").is_none_or(|id| id == one.openid);
        let found = found.filter(is_same).filter(is_buyers);
        found.ok_or_else(|| Refusal::with(2_747_002, "there is no such after-sale"))
    }

    /// The after-sales of an order, oldest first.
    pub(in crate::sandbox) fn of_order(&self, order_id: u64) -> impl Iterator<Item = &Aftersale> {
        let ids = self.by_order.get(&order_id).into_iter().flatten();
        ids.filter_map(|id| self.aftersales.get(id))
    }

    /// Whether money of an order is spoken for.
    pub(in crate::sandbox) fn is_pending(&self, order_id: u64) -> bool {
        self.of_order(order_id).any(|one| one.status.is_pending())
    }

    /// All after-sales, oldest first.
    pub(in crate::sandbox) fn all(&self) -> impl Iterator<Item = &Aftersale> {
        self.aftersales.values()
    }
}

/// Sixteen digits, as in the documents.
const FIRST_ID: u64 = 4_000_000_001_000_000;
const FIRST_LARGE_ID: u64 = 1 << 60;
const LONGEST_STEP: u64 = 1_000_000;
const MOST_AFTERSALES: usize = 50_000;
