//! Shipping of what was paid with WeChat Pay in a mini program.
//!
//! Payments with their states and parcels live here, and what happens to them by themselves.
//! Orders of the transaction component are another thing, and live with it.

pub(super) mod moves;
mod order_key;
mod payment;
mod shipment;

use serde::{Deserialize, Serialize};

pub(super) use order_key::OrderKey;
pub(super) use payment::{PaidOrder, Payment, PaymentState};
pub(super) use shipment::{Shipment, upload_ms};

use super::{drawer::Drawer, ids::Ids, refusal::Refusal, settings::Settings};

/// All payments of an account, and where WeChat sends their buyers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Shipping {
    /// By transaction id, oldest first.
    payments: Drawer<Payment, MOST_PAYMENTS>,
    /// Page that messages on shipping open.
    pub(super) jump_path: String,
    /// Page of one order.
    pub(super) detail_path: String,
}

impl Shipping {
    /// The payment that a key names. One that is not known is taken from the account's switch,
    /// or else believed in, unless the switch says not to: 10060001.
    pub(super) fn meet(
        &mut self,
        key: &OrderKey,
        settings: &Settings,
        ids: &Ids,
        now_ms: i64,
    ) -> Result<&mut Payment, Refusal> {
        let known = self.payments.iter().find(|(_, payment)| key.names(payment));
        let id = match known.map(|(id, _)| id.to_owned()) {
            Some(id) => id,
            None => {
                let listed = settings.paid_orders.iter().map(|order| order.payment(now_ms));
                let fresh = listed.into_iter().find(|payment| key.names(payment));
                let believed = settings.accept_unknown_payments.then(|| key.payment(ids, now_ms));
                let fresh = fresh.or(believed).ok_or_else(|| Refusal::new(10_060_001))?;
                let id = fresh.transaction_id.clone();
                self.payments.put(&id, fresh)?;
                id
            }
        };
        self.find(&id).ok_or_else(|| Refusal::new(10_060_001))
    }

    /// The payment of that transaction.
    pub(super) fn find(&mut self, transaction_id: &str) -> Option<&mut Payment> {
        self.payments.find_mut(transaction_id)
    }

    /// The payment with that transaction id or that number of the merchant.
    pub(super) fn find_by_any(&mut self, order_id: &str) -> Option<&mut Payment> {
        let fits =
            |payment: &Payment| payment.transaction_id == order_id || payment.trade_no == order_id;
        let id = self.payments.iter().find(|(_, payment)| fits(payment))?.0.to_owned();
        self.find(&id)
    }

    /// Makes those known that the account's switch lists.
    pub(super) fn take_listed(&mut self, settings: &Settings, now_ms: i64) -> Result<(), Refusal> {
        for order in &settings.paid_orders {
            if self.payments.find(&order.transaction_id).is_none() {
                self.payments.put(&order.transaction_id, order.payment(now_ms))?;
            }
        }
        Ok(())
    }

    /// All, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Payment> {
        self.payments.iter().map(|(_, payment)| payment)
    }
}

const MOST_PAYMENTS: usize = 5000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payments_are_listed_or_believed_in_or_refused() {
        let (mut shipping, ids) = (Shipping::default(), Ids::new(1, "x"));
        let mut settings = Settings::default();
        settings
            .paid_orders
            .push(PaidOrder { transaction_id: "T1".to_owned(), ..PaidOrder::default() });
        let key = |id: &str| OrderKey::Transaction(id.to_owned());
        assert!(shipping.meet(&key("T1"), &settings, &ids, 0).is_ok());
        assert!(shipping.meet(&key("T2"), &settings, &ids, 0).is_ok());
        settings.accept_unknown_payments = false;
        assert!(shipping.meet(&key("T2"), &settings, &ids, 0).is_ok(), "known by now");
        let refused = shipping.meet(&key("T3"), &settings, &ids, 0).unwrap_err();
        assert_eq!(refused.errcode, 10_060_001);
        assert_eq!(shipping.iter().count(), 2);
    }
}
