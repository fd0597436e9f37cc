//! An after-sale of the upgraded component.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::fields::Fields;

/// One after-sale: goods of one line of an order.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Aftersale {
    /// The platform's id.
    pub(in crate::sandbox) aftersale_id: u64,
    /// The merchant's id; empty when the buyer applied in the order centre.
    pub(in crate::sandbox) out_aftersale_id: String,
    /// Its order.
    pub(in crate::sandbox) order_id: u64,
    /// The merchant's id of the order.
    pub(in crate::sandbox) out_order_id: String,
    /// Which line of the order.
    pub(in crate::sandbox) line: usize,
    /// The product of that line.
    pub(in crate::sandbox) out_product_id: String,
    /// Its SKU; may be empty.
    pub(in crate::sandbox) out_sku_id: String,
    /// The buyer.
    pub(in crate::sandbox) openid: String,
    /// Pieces.
    pub(in crate::sandbox) count: u64,
    /// What the buyer asks for; may change as long as nobody has decided.
    pub(in crate::sandbox) request: Request,
    /// Its state.
    pub(in crate::sandbox) status: AftersaleStatus,
    /// How often the state changed, so that an old entry of the agenda is told.
    pub(in crate::sandbox) step: u32,
    /// Where the goods go back to.
    pub(in crate::sandbox) return_address: Option<Fields>,
    /// How they go back.
    pub(in crate::sandbox) parcel: Option<ReturnParcel>,
    /// Of WeChat Pay; empty before the refund.
    pub(in crate::sandbox) refund_id: String,
    /// What the merchant says of a refund outside the platform.
    pub(in crate::sandbox) certificates: Option<Certificates>,
    /// When it was made.
    pub(in crate::sandbox) created_ms: i64,
    /// When it last changed.
    pub(in crate::sandbox) updated_ms: i64,
}

/// What a buyer asks for, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sandbox) struct Request {
    /// With or without the goods.
    pub(in crate::sandbox) kind: AftersaleKind,
    /// How much, in fen.
    pub(in crate::sandbox) amount_fen: i64,
    /// How much of it is freight.
    pub(in crate::sandbox) freight_fen: i64,
    /// Why, as text.
    pub(in crate::sandbox) reason: String,
    /// Why, as a number.
    pub(in crate::sandbox) reason_type: u64,
    /// Pictures: `type`, `url`, `thumb_url`.
    pub(in crate::sandbox) media: Vec<Fields>,
}

/// `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum AftersaleKind {
    /// 1: money only.
    Refund = 1,
    /// 2: money for goods.
    Return = 2,
}

/// `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum AftersaleStatus {
    /// 1: by the buyer.
    Cancelled = 1,
    /// 2: the merchant handles the refund request.
    MerchantRefund = 2,
    /// 4.
    RefundRejected = 4,
    /// 5.
    ReturnRejected = 5,
    /// 6: waiting for the buyer to return.
    BuyerReturn = 6,
    /// 7.
    Closed = 7,
    /// 8: waiting for the merchant to receive the goods.
    MerchantReceipt = 8,
    /// 11: the platform is refunding.
    Refunding = 11,
    /// 13.
    Refunded = 13,
    /// 21: the platform handles the refund request.
    PlatformRefund = 21,
    /// 23: the merchant handles the return request.
    MerchantReturn = 23,
    /// 24: the platform handles the return request.
    PlatformReturn = 24,
    /// 25: the platform's refund failed.
    RefundFailed = 25,
}

/// How goods go back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sandbox) struct ReturnParcel {
    /// The company.
    pub(in crate::sandbox) delivery_id: String,
    /// Its name.
    pub(in crate::sandbox) delivery_name: String,
    /// The waybill.
    pub(in crate::sandbox) waybill_id: String,
    /// When they were sent.
    pub(in crate::sandbox) sent_ms: i64,
}

/// The merchant's proof of a refund outside the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sandbox) struct Certificates {
    /// What was agreed.
    pub(in crate::sandbox) about: String,
    /// Pictures.
    pub(in crate::sandbox) pictures: Vec<String>,
}

impl AftersaleKind {
    /// The kind of that number.
    pub(in crate::sandbox) fn of_number(number: u64) -> Option<Self> {
        [Self::Refund, Self::Return].into_iter().find(|kind| *kind as u64 == number)
    }

    /// Where an after-sale of the kind begins.
    pub(in crate::sandbox) fn first_status(self) -> AftersaleStatus {
        match self {
            Self::Refund => AftersaleStatus::MerchantRefund,
            Self::Return => AftersaleStatus::MerchantReturn,
        }
    }
}

impl AftersaleStatus {
    /// Whether its pieces and money are spoken for, so that nobody else may ask for them and
    /// the order is not settled. A rejected request holds nothing until it is asked for again.
    pub(in crate::sandbox) fn is_pending(self) -> bool {
        match self {
            Self::Cancelled
            | Self::RefundRejected
            | Self::ReturnRejected
            | Self::Closed
            | Self::Refunded => false,
            Self::MerchantRefund
            | Self::BuyerReturn
            | Self::MerchantReceipt
            | Self::Refunding
            | Self::PlatformRefund
            | Self::MerchantReturn
            | Self::PlatformReturn
            | Self::RefundFailed => true,
        }
    }

    /// Whether the buyer may still take part: nothing was decided for good.
    pub(in crate::sandbox) fn is_buyers(self) -> bool {
        match self {
            Self::Cancelled
            | Self::Closed
            | Self::Refunding
            | Self::Refunded
            | Self::RefundFailed => false,
            Self::MerchantRefund
            | Self::RefundRejected
            | Self::ReturnRejected
            | Self::BuyerReturn
            | Self::MerchantReceipt
            | Self::PlatformRefund
            | Self::MerchantReturn
            | Self::PlatformReturn => true,
        }
    }
}

impl Aftersale {
    /// As `/shop/ecaftersale/get` shows it; `ids` are the platform's of product and SKU.
    pub(in crate::sandbox) fn to_json(&self, ids: (u64, u64)) -> Value {
        let mut shown = json!({
            "aftersale_id": self.aftersale_id,
            "out_aftersale_id": self.out_aftersale_id,
            "order_id": self.order_id,
            "out_order_id": self.out_order_id,
            "openid": self.openid,
            "type": self.request.kind as u8,
            "status": self.status as u8,
            "orderamt": self.request.amount_fen,
            "refund_reason": self.request.reason,
            "refund_reason_type": self.request.reason_type,
            "product_info": {
                "product_id": ids.0,
                "out_product_id": self.out_product_id,
                "sku_id": ids.1,
                "out_sku_id": self.out_sku_id,
                "product_cnt": self.count,
            },
            "refund_pay_detail": { "refund_id": self.refund_id },
            "media_list": self.request.media,
            "create_time": self.created_ms.to_string(),
            "update_time": self.updated_ms.to_string(),
        });
        if let Some(parcel) = &self.parcel {
            shown["return_info"] = json!({
                "order_return_time": parcel.sent_ms / 1000,
                "delivery_id": parcel.delivery_id,
                "delivery_name": parcel.delivery_name,
                "waybill_id": parcel.waybill_id,
            });
        }
        shown
    }

    /// What every event of it says.
    pub(in crate::sandbox) fn told(&self) -> Fields {
        let ids = json!({
            "aftersale_id": self.aftersale_id,
            "out_aftersale_id": self.out_aftersale_id,
        });
        Map::from_iter([("aftersale_info".to_owned(), ids)])
    }

    /// What is said when the buyer applied in the order centre.
    pub(in crate::sandbox) fn told_as_new(&self) -> Fields {
        let ids = json!({
            "aftersale_id": self.aftersale_id,
            "order_id": self.order_id,
            "out_order_id": self.out_order_id,
        });
        Map::from_iter([("aftersale_info".to_owned(), ids)])
    }

    /// Either id, for texts.
    pub(in crate::sandbox) fn name(&self) -> String {
        if self.out_aftersale_id.is_empty() {
            self.aftersale_id.to_string()
        } else {
            self.out_aftersale_id.clone()
        }
    }
}
