//! After-sales of before the upgrade, whose states the merchant writes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fields::Fields;
use crate::sandbox::refusal::Refusal;

/// After-sales by the merchant's id; the platform gives none.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sandbox) struct OldAftersales {
    aftersales: BTreeMap<String, OldAftersale>,
    by_order: BTreeMap<u64, Vec<String>>,
}

/// One of them. Nothing here moves money: the merchant refunds by itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct OldAftersale {
    /// Its order.
    pub(in crate::sandbox) order_id: u64,
    /// What the merchant reported.
    pub(in crate::sandbox) status: OldStatus,
    /// 1 refund, 2 return and refund, 3 exchange.
    pub(in crate::sandbox) kind: u64,
    /// The fields of the body that are shown.
    pub(in crate::sandbox) form: Fields,
}

/// `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum OldStatus {
    /// 0.
    NotHandled = 0,
    /// 1: by the buyer.
    Cancelled = 1,
    /// 2.
    MerchantHandles = 2,
    /// 3.
    MerchantLate = 3,
    /// 4.
    RefundRejected = 4,
    /// 5.
    ReturnRejected = 5,
    /// 6.
    BuyerToReturn = 6,
    /// 7.
    Closed = 7,
    /// 8.
    MerchantToReceive = 8,
    /// 11.
    Refunding = 11,
    /// 12: the merchant is late with the refund.
    RefundLate = 12,
    /// 13.
    Refunded = 13,
    /// 14.
    ReturnedAndRefunded = 14,
    /// 15.
    Exchanged = 15,
    /// 16: the merchant sends the other goods.
    MerchantToSend = 16,
    /// 17: the buyer confirms them.
    BuyerToConfirm = 17,
    /// 18.
    ExchangeRejected = 18,
    /// 19.
    MerchantReceived = 19,
}

impl OldStatus {
    /// The state of that number. 9 and 10 do not exist.
    pub(in crate::sandbox) fn of_number(number: u64) -> Option<Self> {
        ALL.iter().copied().find(|status| *status as u64 == number)
    }
}

impl OldAftersales {
    /// An after-sale.
    pub(in crate::sandbox) fn aftersale(&self, out_aftersale_id: &str) -> Option<&OldAftersale> {
        self.aftersales.get(out_aftersale_id)
    }

    /// Puts one in, in place of the one of its id.
    pub(in crate::sandbox) fn put(
        &mut self,
        out_aftersale_id: &str,
        aftersale: OldAftersale,
    ) -> Result<(), Refusal> {
        if !self.aftersales.contains_key(out_aftersale_id) {
            if self.aftersales.len() >= MOST_AFTERSALES {
                return Err(Refusal::with(-1, "the sandbox is full, reset it"));
            }
            let of_order = self.by_order.entry(aftersale.order_id).or_default();
            of_order.push(out_aftersale_id.to_owned());
        }
        self.aftersales.insert(out_aftersale_id.to_owned(), aftersale);
        Ok(())
    }

    /// Writes the state of one that is there.
    pub(in crate::sandbox) fn write(&mut self, out_aftersale_id: &str, status: OldStatus) {
        if let Some(aftersale) = self.aftersales.get_mut(out_aftersale_id) {
            aftersale.status = status;
        }
    }

    /// The after-sales of an order, in the order of their creation.
    pub(in crate::sandbox) fn of_order(
        &self,
        order_id: u64,
    ) -> impl Iterator<Item = &OldAftersale> {
        let names = self.by_order.get(&order_id).into_iter().flatten();
        names.filter_map(|name| self.aftersales.get(name))
    }
}

impl OldAftersale {
    /// As `/shop/aftersale/get` shows it.
    pub(in crate::sandbox) fn to_json(&self) -> Value {
        let mut shown = self.form.clone();
        for (name, value) in [
            ("order_id", json!(self.order_id)),
            ("type", json!(self.kind)),
            ("status", json!(self.status as u8)),
        ] {
            shown.insert(name.to_owned(), value);
        }
        Value::Object(shown)
    }
}

const ALL: [OldStatus; 18] = [
    OldStatus::NotHandled,
    OldStatus::Cancelled,
    OldStatus::MerchantHandles,
    OldStatus::MerchantLate,
    OldStatus::RefundRejected,
    OldStatus::ReturnRejected,
    OldStatus::BuyerToReturn,
    OldStatus::Closed,
    OldStatus::MerchantToReceive,
    OldStatus::Refunding,
    OldStatus::RefundLate,
    OldStatus::Refunded,
    OldStatus::ReturnedAndRefunded,
    OldStatus::Exchanged,
    OldStatus::MerchantToSend,
    OldStatus::BuyerToConfirm,
    OldStatus::ExchangeRejected,
    OldStatus::MerchantReceived,
];
const MOST_AFTERSALES: usize = 50_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_the_documents_is_a_state() {
        let known: Vec<u64> =
            (0..30).filter(|number| OldStatus::of_number(*number).is_some()).collect();
        assert_eq!(known, [0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    }
}
