//! An order with its goods, payment and parcels.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::fields::{Fields, at, text};
use crate::sandbox::moment;

/// One order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Order {
    /// The platform's id, above 2^53.
    pub(in crate::sandbox) order_id: u64,
    /// The merchant's id.
    pub(in crate::sandbox) out_order_id: String,
    /// The buyer.
    pub(in crate::sandbox) openid: String,
    /// Whose account the money goes to.
    pub(in crate::sandbox) fund: Fund,
    /// Its state.
    pub(in crate::sandbox) status: OrderStatus,
    /// Its goods, in the order of the request.
    pub(in crate::sandbox) lines: Vec<Line>,
    /// What must be paid, in fen.
    pub(in crate::sandbox) price_fen: i64,
    /// Freight in it.
    pub(in crate::sandbox) freight_fen: i64,
    /// 1 express, 2 none, 3 offline, 4 pick-up: fixed at the creation.
    pub(in crate::sandbox) delivery_type: i64,
    /// The body that it was made with.
    pub(in crate::sandbox) form: Fields,
    /// When it was made.
    pub(in crate::sandbox) created_ms: i64,
    /// When it last changed.
    pub(in crate::sandbox) updated_ms: i64,
    /// When it was paid, and by which transaction.
    pub(in crate::sandbox) payment: Option<Payment>,
    /// What was sent.
    pub(in crate::sandbox) parcels: Vec<Fields>,
    /// Whether a delivery call was made, and whether it was the last.
    pub(in crate::sandbox) delivery: Delivery,
    /// How long after-sales are possible after the receipt, in days.
    pub(in crate::sandbox) aftersale_days: i64,
    /// When after-sales end, once that is known.
    pub(in crate::sandbox) aftersale_until_ms: Option<i64>,
    /// Freight that went back.
    #[serde(default)]
    pub(in crate::sandbox) refunded_freight_fen: i64,
    /// Whether the platform has settled it; no further after-sale.
    pub(in crate::sandbox) is_settled: bool,
    /// Whom the sale is credited to.
    pub(in crate::sandbox) promotion: Fields,
    /// Of the old cashier; empty where none was given.
    pub(in crate::sandbox) ticket: String,
    /// Whether payment parameters were given out.
    pub(in crate::sandbox) is_price_fixed: bool,
}

/// Goods of one SKU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sandbox) struct Line {
    /// The merchant's product.
    pub(in crate::sandbox) out_product_id: String,
    /// The merchant's SKU; may be empty.
    pub(in crate::sandbox) out_sku_id: String,
    /// Pieces.
    pub(in crate::sandbox) count: u64,
    /// What was really paid for all pieces.
    pub(in crate::sandbox) real_fen: i64,
    /// Pieces that stand in a parcel.
    pub(in crate::sandbox) sent: u64,
    /// Pieces whose money went back.
    pub(in crate::sandbox) refunded: u64,
    /// Money that went back.
    pub(in crate::sandbox) refunded_fen: i64,
}

/// `fund_type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Fund {
    /// 0: the merchant's own account; before the upgrade.
    Own = 0,
    /// 1: the dedicated account.
    Dedicated = 1,
}

/// `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum OrderStatus {
    /// 10.
    ToPay = 10,
    /// 11: the cashier has finished; like 10.
    CashierDone = 11,
    /// 20: to be sent.
    Paid = 20,
    /// 30: to be received.
    Sent = 30,
    /// 100.
    Done = 100,
    /// 181: not paid in time.
    Expired = 181,
    /// 200: everything was refunded.
    Refunded = 200,
    /// 250.
    Cancelled = 250,
}

/// A payment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sandbox) struct Payment {
    /// Of WeChat Pay; empty for other ways of paying.
    pub(in crate::sandbox) transaction_id: String,
    /// When.
    pub(in crate::sandbox) paid_ms: i64,
}

/// How far the delivery has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Delivery {
    /// Nothing was sent.
    Open,
    /// More parcels are to come.
    Begun,
    /// Everything was sent.
    Finished,
}

impl OrderStatus {
    /// Whether it waits for the payment.
    pub(in crate::sandbox) fn is_to_pay(self) -> bool {
        matches!(self, Self::ToPay | Self::CashierDone)
    }

    /// Whether it was paid, and not undone since.
    pub(in crate::sandbox) fn is_paid(self) -> bool {
        matches!(self, Self::Paid | Self::Sent | Self::Done)
    }
}

impl Line {
    /// What can still be paid back for these goods.
    pub(in crate::sandbox) fn refundable_fen(&self) -> i64 {
        self.real_fen.saturating_sub(self.refunded_fen)
    }

    /// Pieces whose money is still here.
    pub(in crate::sandbox) fn refundable(&self) -> u64 {
        self.count.saturating_sub(self.refunded)
    }
}

impl Order {
    /// The line of that product; where a SKU is named, of that SKU.
    pub(in crate::sandbox) fn line(
        &self,
        out_product_id: &str,
        out_sku_id: Option<&str>,
    ) -> Option<usize> {
        self.lines.iter().position(|line| {
            line.out_product_id == out_product_id
                && out_sku_id.is_none_or(|wanted| line.out_sku_id == wanted)
        })
    }

    /// What can still be paid back beyond goods: freight, as long as nothing was sent.
    pub(in crate::sandbox) fn refundable_freight_fen(&self) -> i64 {
        match self.delivery {
            Delivery::Open => self.freight_fen.saturating_sub(self.refunded_freight_fen),
            Delivery::Begun | Delivery::Finished => 0,
        }
    }

    /// All money that went back.
    pub(in crate::sandbox) fn refunded_fen(&self) -> i64 {
        let goods_fen: i64 = self.lines.iter().map(|line| line.refunded_fen).sum();
        goods_fen.saturating_add(self.refunded_freight_fen)
    }

    /// Whether the money of all goods went back.
    pub(in crate::sandbox) fn is_all_refunded(&self) -> bool {
        self.lines.iter().all(|line| line.refundable() == 0)
    }

    /// As `/shop/order/get` shows it; `ids` finds the platform's ids of goods that were
    /// uploaded.
    pub(in crate::sandbox) fn to_json(&self, ids: &dyn Fn(&str, &str) -> (u64, u64)) -> Value {
        // Where the tables of fields are switched off, it may be anything.
        let detail = at(&self.form, "order_detail").filter(|detail| detail.is_object());
        let mut detail = detail.cloned().unwrap_or_else(|| json!({}));
        if let Some(goods) = detail.get_mut("product_infos").and_then(Value::as_array_mut) {
            for one in goods.iter_mut().filter_map(Value::as_object_mut) {
                let name = |field: &str| text(one, field).unwrap_or_default();
                let (product_id, sku_id) = ids(name("out_product_id"), name("out_sku_id"));
                one.insert("product_id".to_owned(), product_id.into());
                one.insert("sku_id".to_owned(), sku_id.into());
            }
        }
        detail["pay_info"] = self.pay_info();
        detail["promotion_info"] = Value::Object(self.promotion.clone());
        if self.delivery != Delivery::Open {
            detail["delivery_detail"] = json!({
                "delivery_type": self.delivery_type,
                "finish_all_delivery": u8::from(self.delivery == Delivery::Finished),
                "delivery_list": self.parcels,
            });
        }
        json!({
            "order_id": self.order_id,
            "out_order_id": self.out_order_id,
            "openid": self.openid,
            "status": self.status as u16,
            "fund_type": self.fund as u8,
            "scene": at(&self.form, "scene"),
            "path": at(&self.form, "path"),
            "create_time": moment::text(self.created_ms),
            "update_time": moment::text(self.updated_ms),
            "order_detail": detail,
            "default_receiving_address": at(&self.form, "default_receiving_address"),
        })
    }

    fn pay_info(&self) -> Value {
        let given = at(&self.form, "order_detail.pay_info").and_then(Value::as_object);
        let mut info = given.cloned().unwrap_or_default();
        let method = match at(&self.form, "order_detail.pay_info.pay_method_type") {
            Some(kind) if *kind == 1 => "货到付款",
            Some(kind) if *kind == 2 => "商家储值卡",
            Some(_) | None => "微信支付",
        };
        info.insert("pay_method".to_owned(), method.into());
        if let Some(payment) = &self.payment {
            info.insert("transaction_id".to_owned(), payment.transaction_id.as_str().into());
            info.insert("pay_time".to_owned(), moment::text(payment.paid_ms).into());
        }
        Value::Object(info)
    }

    /// The two ids that every event of an order has.
    pub(in crate::sandbox) fn told(&self) -> Fields {
        Fields::from_iter([
            ("order_id".to_owned(), self.order_id.into()),
            ("out_order_id".to_owned(), self.out_order_id.as_str().into()),
        ])
    }
}
