//! One payment with what became of it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Shipment;
use crate::sandbox::refusal::Refusal;

/// How far a payment has come; the platform writes numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum PaymentState {
    /// 1.
    #[default]
    ToShip,
    /// 2.
    Shipped,
    /// 3.
    Received,
    /// 4.
    Done,
    /// 5.
    Refunded,
    /// 6: the money waits.
    ToSettle,
}

impl PaymentState {
    /// As the platform writes it.
    pub(in crate::sandbox) fn number(self) -> i64 {
        match self {
            Self::ToShip => 1,
            Self::Shipped => 2,
            Self::Received => 3,
            Self::Done => 4,
            Self::Refunded => 5,
            Self::ToSettle => 6,
        }
    }
}

/// A payment that the account's switch lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(in crate::sandbox) struct PaidOrder {
    /// WeChat Pay's number.
    pub(in crate::sandbox) transaction_id: String,
    /// The merchant's number.
    pub(in crate::sandbox) out_trade_no: String,
    /// The merchant.
    pub(in crate::sandbox) mchid: String,
    /// Who paid; empty for whoever the first upload names.
    pub(in crate::sandbox) openid: String,
    /// How much, in fen.
    pub(in crate::sandbox) amount: u64,
    /// How far it has come when it is first asked for.
    pub(in crate::sandbox) state: PaymentState,
}

impl PaidOrder {
    /// The payment, made now.
    pub(super) fn payment(&self, now_ms: i64) -> Payment {
        Payment {
            mchid: self.mchid.clone(),
            trade_no: self.out_trade_no.clone(),
            openid: self.openid.clone(),
            amount: self.amount,
            state: self.state,
            ..Payment::new(self.transaction_id.clone(), now_ms)
        }
    }
}

/// One payment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Payment {
    /// WeChat Pay's number.
    pub(in crate::sandbox) transaction_id: String,
    /// The merchant.
    pub(in crate::sandbox) mchid: String,
    /// The merchant's number.
    pub(in crate::sandbox) trade_no: String,
    /// Who paid; empty while nobody said.
    pub(in crate::sandbox) openid: String,
    /// How much, in fen.
    pub(in crate::sandbox) amount: u64,
    /// When.
    pub(in crate::sandbox) paid_ms: i64,
    /// How far it has come.
    pub(in crate::sandbox) state: PaymentState,
    /// What was shipped.
    pub(in crate::sandbox) shipment: Option<Shipment>,
    /// How often shipping was finished.
    pub(in crate::sandbox) finished: u32,
    /// When it was finished last.
    pub(in crate::sandbox) shipped_ms: i64,
    /// Whether the one other shipping was used.
    pub(in crate::sandbox) is_reshipped: bool,
    /// Whether the buyer was reminded.
    pub(in crate::sandbox) is_reminded: bool,
    /// Needs no shipping before that time: sold in advance. `i64::MAX` for a test.
    pub(in crate::sandbox) delayed_to_ms: Option<i64>,
}

impl Payment {
    /// A payment made now.
    pub(super) fn new(transaction_id: String, now_ms: i64) -> Self {
        Self {
            transaction_id,
            mchid: String::new(),
            trade_no: String::new(),
            openid: String::new(),
            amount: USUAL_AMOUNT,
            paid_ms: now_ms,
            state: PaymentState::ToShip,
            shipment: None,
            finished: 0,
            shipped_ms: 0,
            is_reshipped: false,
            is_reminded: false,
            delayed_to_ms: None,
        }
    }

    /// Whether `shipment` of that payer would be taken: 10060031 for somebody else, 10060004 in
    /// a state without shipping, 10060023 for news that are none, 10060003 for a second other
    /// shipping.
    pub(in crate::sandbox) fn check(
        &self,
        shipment: &Shipment,
        payer: &str,
    ) -> Result<(), Refusal> {
        if !self.openid.is_empty() && self.openid != payer {
            return Err(Refusal::new(10_060_031));
        }
        if !matches!(self.state, PaymentState::ToShip | PaymentState::Shipped) {
            return Err(Refusal::new(10_060_004));
        }
        let Some(earlier) = &self.shipment else { return Ok(()) };
        if shipment.is_no_news_after(earlier) {
            return Err(Refusal::new(10_060_023));
        }
        if self.is_other_shipping(shipment, earlier) && self.is_reshipped {
            return Err(Refusal::new(10_060_003));
        }
        Ok(())
    }

    /// Takes a shipment that was checked; whether shipping is finished by it.
    pub(in crate::sandbox) fn ship(
        &mut self,
        shipment: Shipment,
        payer: &str,
        now_ms: i64,
    ) -> bool {
        payer.clone_into(&mut self.openid);
        let shipment = match self.shipment.take() {
            Some(earlier) if self.is_other_shipping(&shipment, &earlier) => {
                self.is_reshipped = true;
                shipment
            }
            Some(earlier) => shipment.after(earlier),
            None => shipment,
        };
        let is_finished = shipment.is_finished;
        self.shipment = Some(shipment);
        if is_finished {
            self.state = PaymentState::Shipped;
            self.finished = self.finished.saturating_add(1);
            self.shipped_ms = now_ms;
        }
        is_finished
    }

    /// After it was finished, or in another way than before.
    fn is_other_shipping(&self, shipment: &Shipment, earlier: &Shipment) -> bool {
        earlier.is_finished || !shipment.is_same_way(earlier)
    }

    /// As `get_order` tells it.
    pub(in crate::sandbox) fn to_json(&self) -> Value {
        let shipment = self.shipment.as_ref();
        json!({
            "transaction_id": self.transaction_id,
            "merchant_trade_no": self.trade_no,
            "merchant_id": self.mchid,
            "sub_merchant_id": "",
            "description": shipment.map(Shipment::description).unwrap_or_default(),
            "paid_amount": self.amount,
            "openid": self.openid,
            "trade_create_time": self.paid_ms / 1000,
            "pay_time": self.paid_ms / 1000,
            "order_state": self.state.number(),
            "in_complaint": false,
            "shipping": shipment.map_or_else(|| json!({}), |shipment| shipment.to_json(self.finished)),
        })
    }
}

/// One yuan, where nobody said how much.
const USUAL_AMOUNT: u64 = 100;
