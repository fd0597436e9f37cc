//! How a call names a payment.

use serde_json::Value;

use super::Payment;
use crate::sandbox::{ids::Ids, refusal::Refusal};

/// By either of its numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sandbox) enum OrderKey {
    /// The merchant with its own number.
    Merchant {
        /// The merchant.
        mchid: String,
        /// Its number.
        trade_no: String,
    },
    /// WeChat Pay's number.
    Transaction(String),
}

impl OrderKey {
    /// `order_key` of an upload: each thing that is missing has its own errcode.
    pub(in crate::sandbox) fn parse(key: Option<&Value>) -> Result<Self, Refusal> {
        let text = |name: &str| {
            let text = key.and_then(|key| key.get(name)).and_then(Value::as_str);
            text.filter(|text| is_number(text)).map(ToOwned::to_owned)
        };
        let missing = |errcode| move || Refusal::new(errcode);
        match key.and_then(|key| key.get("order_number_type")).and_then(Value::as_i64) {
            Some(1) => Ok(Self::Merchant {
                mchid: text("mchid").ok_or_else(missing(268_485_196))?,
                trade_no: text("out_trade_no").ok_or_else(missing(268_485_197))?,
            }),
            Some(2) => {
                Ok(Self::Transaction(text("transaction_id").ok_or_else(missing(268_485_195))?))
            }
            Some(_) | None => Err(Refusal::new(268_485_194)),
        }
    }

    /// The other way to write a key, in fields of the body: 10060014 where neither is whole.
    pub(in crate::sandbox) fn from_fields<'a>(
        text: impl Fn(&str) -> Option<&'a str>,
    ) -> Result<Self, Refusal> {
        let number = |name: &str| text(name).filter(|text| is_number(text)).map(ToOwned::to_owned);
        if let Some(id) = number("transaction_id") {
            return Ok(Self::Transaction(id));
        }
        match (number("merchant_id"), number("merchant_trade_no")) {
            (Some(mchid), Some(trade_no)) => Ok(Self::Merchant { mchid, trade_no }),
            _ => Err(Refusal::with(10_060_014, "transaction_id")),
        }
    }

    /// Whether this is a key of that payment.
    pub(super) fn names(&self, payment: &Payment) -> bool {
        match self {
            Self::Transaction(id) => *id == payment.transaction_id,
            Self::Merchant { mchid, trade_no } => {
                *mchid == payment.mchid && *trade_no == payment.trade_no
            }
        }
    }

    /// A payment with that key, of which nothing else is known.
    pub(super) fn payment(&self, ids: &Ids, now_ms: i64) -> Payment {
        let number = || format!("42{:020}", ids.next());
        let (transaction_id, mchid, trade_no) = match self {
            Self::Transaction(id) => (id.clone(), "1900000001".to_owned(), number()),
            Self::Merchant { mchid, trade_no } => (number(), mchid.clone(), trade_no.clone()),
        };
        Payment { mchid, trade_no, ..Payment::new(transaction_id, now_ms) }
    }
}

/// Neither empty nor without end.
fn is_number(text: &str) -> bool {
    (1..=MOST_NUMBER_BYTES).contains(&text.len())
}

const MOST_NUMBER_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_name_what_they_lack() {
        for (key, errcode) in [
            (json!({"order_number_type": 2, "transaction_id": "T"}), 0),
            (json!({"order_number_type": 1, "mchid": "m", "out_trade_no": "o"}), 0),
            (json!({"order_number_type": 3}), 268_485_194),
            (json!({}), 268_485_194),
            (json!({"order_number_type": 2, "transaction_id": ""}), 268_485_195),
            (json!({"order_number_type": 1, "out_trade_no": "o"}), 268_485_196),
            (json!({"order_number_type": 1, "mchid": "m"}), 268_485_197),
        ] {
            let seen = OrderKey::parse(Some(&key)).map_or_else(|refusal| refusal.errcode, |_| 0);
            assert_eq!(seen, errcode, "{key}");
        }
        let key = OrderKey::from_fields(|name| (name == "merchant_id").then_some("m"));
        assert_eq!(key.unwrap_err().errcode, 10_060_014);
    }
}
