//! A coupon as it is written down, with what its kind asks for.

use serde::{Deserialize, Serialize};

use super::{
    demand,
    fields::{Fields, amount, at, number, text},
};
use crate::sandbox::{refusal::Refusal, settings::Settings};

/// What a coupon promises.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Terms {
    /// `type`, `promote_type` and `coupon_info` as they came.
    pub(in crate::sandbox) fields: Fields,
    /// From when it is given out, Unix seconds.
    pub(in crate::sandbox) receive_from_s: i64,
    /// Until when.
    pub(in crate::sandbox) receive_until_s: i64,
    /// How many one person gets.
    pub(in crate::sandbox) most_per_person: u64,
    /// How many there are.
    pub(in crate::sandbox) most: u64,
    /// When it can be used.
    pub(in crate::sandbox) validity: Validity,
}

/// When a coupon can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Validity {
    /// Between two times, whenever it was received; Unix seconds.
    Range {
        /// The first.
        from_s: i64,
        /// The last.
        until_s: i64,
    },
    /// So long after it was received.
    After {
        /// In seconds.
        life_s: i64,
    },
}

/// A kind of coupon.
struct Kind {
    number: u64,
    /// Whether it is for single products, not for all of the shop.
    is_of_products: bool,
    needs: Needs,
}

/// What a kind's discount is told by.
#[derive(Clone, Copy)]
enum Needs {
    Rate,
    Reduction,
    TradeIn,
    BuyAndGet,
}

impl Terms {
    /// Between which times a coupon that was received then can be used.
    pub(in crate::sandbox) fn usable(&self, received_s: i64) -> (i64, i64) {
        match self.validity {
            Validity::Range { from_s, until_s } => (from_s, until_s),
            Validity::After { life_s } => (received_s, received_s.saturating_add(life_s)),
        }
    }

    /// When nothing of it can be used any more.
    pub(in crate::sandbox) fn end_s(&self) -> i64 {
        self.usable(self.receive_until_s).1
    }
}

/// Reads `coupon` of a body.
pub(in crate::sandbox) fn terms(body: &Fields, settings: &Settings) -> Result<Terms, Refusal> {
    let bad = |what: &str| demand::wrong(settings, what);
    let kind = number(body, "coupon.type");
    let kind = KINDS.iter().find(|known| Some(known.number) == kind);
    let kind = kind.ok_or_else(|| bad("coupon.type is 1 to 6 or 101 to 104"))?;
    let inner = at(body, "coupon.coupon_info.promote_info.promote_type");
    let is_live = number(body, "coupon.promote_type") == Some(4);
    if !is_live || inner.is_some_and(|inner| inner.as_u64() != Some(4)) {
        return Err(bad("coupon.promote_type is 4"));
    }
    check_discount(body, kind, settings)?;
    let receive = |name: &str| amount(body, &format!("coupon.coupon_info.receive_info.{name}"));
    let (from, until) = (receive("start_time"), receive("end_time"));
    let (receive_from_s, receive_until_s) = range(from, until)
        .ok_or_else(|| bad("coupon.coupon_info.receive_info: end_time is after start_time"))?;
    let count = |name: &str| {
        let place = format!("coupon.coupon_info.receive_info.{name}");
        number(body, &place).filter(|count| *count > 0).ok_or_else(|| bad(&place))
    };
    let picked = FIELDS.iter().filter_map(|name| {
        Some(((*name).to_owned(), at(body, &format!("coupon.{name}"))?.clone()))
    });
    Ok(Terms {
        fields: picked.collect(),
        receive_from_s,
        receive_until_s,
        most_per_person: count("limit_num_one_person")?,
        most: count("total_num")?,
        validity: validity(body, settings)?,
    })
}

/// The conditions that the fields' descriptions name, and nothing beyond them.
fn check_discount(body: &Fields, kind: &Kind, settings: &Settings) -> Result<(), Refusal> {
    const PLACE: &str = "coupon.coupon_info.discount_info";
    let missing = |name: &str| {
        demand::wrong(
            settings,
            format_args!("{PLACE}.{name} is needed by coupon.type {}", kind.number),
        )
    };
    let has_number = |name: &str, most: u64| {
        let given = number(body, &format!("{PLACE}.{name}"));
        given.is_some_and(|given| (1..=most).contains(&given))
    };
    let has_text = |name: &str| text(body, &format!("{PLACE}.{name}")).is_some();
    let products = at(body, &format!("{PLACE}.discount_condition.out_product_ids"));
    let has_products = products.and_then(|list| list.as_array()).is_some_and(|l| !l.is_empty());
    if kind.is_of_products && !has_products {
        return Err(missing("discount_condition.out_product_ids"));
    }
    let (names, numbers): (&[&str], &[(&str, u64)]) = match kind.needs {
        Needs::Rate => (&[], &[("discount_num", MOST_RATE)]),
        Needs::Reduction => (&[], &[("discount_fee", u64::MAX)]),
        Needs::TradeIn => (
            &["discount_condition.tradein_info.out_product_id"],
            &[("discount_condition.tradein_info.price", u64::MAX)],
        ),
        Needs::BuyAndGet => (
            &[
                "discount_condition.buyget_info.buy_out_product_id",
                "discount_condition.buyget_info.get_out_product_id",
            ],
            &[
                ("discount_condition.buyget_info.buy_product_cnt", u64::MAX),
                ("discount_condition.buyget_info.get_product_cnt", u64::MAX),
            ],
        ),
    };
    let name = names.iter().find(|name| !has_text(name));
    let name = name.or_else(|| {
        numbers.iter().find(|(name, most)| !has_number(name, *most)).map(|(name, _)| name)
    });
    name.map_or(Ok(()), |name| Err(missing(name)))
}

fn validity(body: &Fields, settings: &Settings) -> Result<Validity, Refusal> {
    let read = |name: &str| amount(body, &format!("coupon.coupon_info.valid_info.{name}"));
    let life = |name: &str, unit_s: i64| {
        let given = read(name).filter(|given| (1..=MOST_LIFE_S / unit_s).contains(given));
        Some(Validity::After { life_s: given? * unit_s })
    };
    let (found, needed) = match read("valid_type") {
        Some(1) => {
            let range = range(read("start_time"), read("end_time"));
            let range = range.map(|(from_s, until_s)| Validity::Range { from_s, until_s });
            (range, "start_time and a later end_time")
        }
        Some(2) => (life("valid_day_num", 86_400), "valid_day_num"),
        Some(3) => (life("valid_second", 1), "valid_second"),
        _ => (None, "valid_type 1, 2 or 3"),
    };
    found.ok_or_else(|| {
        demand::wrong(settings, format_args!("coupon.coupon_info.valid_info needs {needed}"))
    })
}

fn range(from_s: Option<i64>, until_s: Option<i64>) -> Option<(i64, i64)> {
    let (from_s, until_s) = (from_s?, until_s?);
    (from_s < until_s).then_some((from_s, until_s))
}

const fn kind(number: u64, is_of_products: bool, needs: Needs) -> Kind {
    Kind { number, is_of_products, needs }
}

/// From the documents of the component (read 2026-08).
const KINDS: &[Kind] = &[
    kind(1, true, Needs::Rate),
    kind(2, true, Needs::Reduction),
    kind(3, true, Needs::Rate),
    kind(4, true, Needs::Reduction),
    kind(5, true, Needs::TradeIn),
    kind(6, true, Needs::BuyAndGet),
    kind(101, false, Needs::Rate),
    kind(102, false, Needs::Reduction),
    kind(103, false, Needs::Rate),
    kind(104, false, Needs::Reduction),
];
const FIELDS: &[&str] = &["type", "promote_type", "coupon_info"];
/// 10000 would be the full price: 5100 is 51 % of it.
const MOST_RATE: u64 = 9999;
/// A hundred years.
const MOST_LIFE_S: i64 = 36_500 * 86_400;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::wechat::endpoint::endpoint;

    fn coupon() -> Value {
        endpoint("/shop/coupon/add").unwrap().example_request.clone()
    }

    fn read(body: &Value) -> Result<Terms, Refusal> {
        terms(body.as_object().unwrap(), &Settings::default())
    }

    #[test]
    fn each_kind_asks_for_its_own_discount() {
        let products = json!(["A"]);
        let buy = json!({"buy_out_product_id": "A", "buy_product_cnt": 2,
            "get_out_product_id": "B", "get_product_cnt": 1});
        let cases = [
            (1, json!({"discount_num": 5100, "discount_condition": {"out_product_ids": products}})),
            (2, json!({"discount_fee": 1, "discount_condition": {"out_product_ids": products}})),
            (
                5,
                json!({"discount_condition": {"out_product_ids": products,
                "tradein_info": {"out_product_id": "B", "price": 100}}}),
            ),
            (6, json!({"discount_condition": {"out_product_ids": products, "buyget_info": buy}})),
            (103, json!({"discount_num": 9000})),
            (104, json!({"discount_fee": 500})),
        ];
        for (number, discount) in cases {
            let mut body = coupon();
            body["coupon"]["type"] = json!(number);
            body["coupon"]["coupon_info"]["discount_info"] = json!({});
            assert!(read(&body).unwrap_err().errmsg.contains("discount_info"), "{number}");
            body["coupon"]["coupon_info"]["discount_info"] = discount;
            assert!(read(&body).is_ok(), "{number} {:?}", read(&body));
        }
    }

    #[test]
    fn each_kind_of_validity_asks_for_its_own_fields() {
        let mut body = coupon();
        for (valid, usable) in [
            (json!({"valid_type": 1, "start_time": 5, "end_time": 9}), (5, 9)),
            (json!({"valid_type": 2, "valid_day_num": 2}), (100, 172_900)),
            (json!({"valid_type": 3, "valid_second": 50}), (100, 150)),
        ] {
            body["coupon"]["coupon_info"]["valid_info"] = valid;
            assert_eq!(read(&body).unwrap().usable(100), usable);
        }
        for bad in [
            json!({"valid_type": 1, "start_time": 9, "end_time": 9}),
            json!({"valid_type": 2}),
            json!({"valid_type": 2, "valid_day_num": u64::MAX}),
            json!({"valid_type": 3, "valid_second": 0}),
            json!({"valid_type": 4}),
        ] {
            body["coupon"]["coupon_info"]["valid_info"] = bad;
            assert!(read(&body).unwrap_err().errmsg.contains("valid_info needs"));
        }
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        for (pointer, value) in [
            ("/coupon/type", json!(7)),
            ("/coupon/promote_type", json!(1)),
            ("/coupon/coupon_info/promote_info/promote_type", json!(1)),
            ("/coupon/coupon_info/receive_info/end_time", json!(1)),
            ("/coupon/coupon_info/receive_info/total_num", json!(0)),
            ("/coupon/coupon_info/receive_info/limit_num_one_person", json!(0)),
        ] {
            let mut body = coupon();
            *body.pointer_mut(pointer).unwrap() = value;
            assert_eq!(read(&body).unwrap_err().errcode, 40097, "{pointer}");
        }
    }
}
