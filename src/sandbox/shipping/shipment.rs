//! What was shipped for a payment.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::sandbox::refusal::Refusal;

/// Parcels, or that there are none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::sandbox) struct Shipment {
    /// 1 express, 2 within the city, 3 nothing to carry, 4 the buyer comes.
    pub(in crate::sandbox) logistics_type: i64,
    /// 1 all together, 2 in several parcels.
    pub(in crate::sandbox) delivery_mode: i64,
    /// Whether everything is on its way.
    pub(in crate::sandbox) is_finished: bool,
    uploaded_ms: i64,
    parcels: Vec<Parcel>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Parcel {
    tracking_no: String,
    express_company: String,
    item_desc: String,
    contact: Option<Value>,
    uploaded_ms: i64,
}

/// `upload_time`: 268485216 unless it is as RFC 3339 has it.
pub(in crate::sandbox) fn upload_ms(text: Option<&str>) -> Result<i64, Refusal> {
    let time = text.and_then(|text| text.parse::<jiff::Timestamp>().ok());
    time.map(jiff::Timestamp::as_millisecond).ok_or_else(|| Refusal::new(268_485_216))
}

impl Shipment {
    /// What a call uploads, checked in the order of its fields.
    pub(in crate::sandbox) fn parse(given: &Value, uploaded_ms: i64) -> Result<Self, Refusal> {
        let number = |name: &str| given.get(name).and_then(Value::as_i64);
        let logistics_type = number("logistics_type").filter(|kind| (1..=4).contains(kind));
        let logistics_type = logistics_type.ok_or_else(|| Refusal::new(10_060_005))?;
        let delivery_mode = number("delivery_mode").filter(|mode| matches!(mode, 1 | 2));
        let delivery_mode = delivery_mode.ok_or_else(|| Refusal::new(268_485_224))?;
        let is_split = delivery_mode == 2;
        if is_split && logistics_type != EXPRESS {
            return Err(Refusal::new(10_060_006));
        }
        let is_all = given.get("is_all_delivered").and_then(Value::as_bool);
        if is_split && is_all.is_none() {
            return Err(Refusal::new(10_060_007));
        }
        let list = given.get("shipping_list").and_then(Value::as_array);
        let list = list.ok_or_else(|| Refusal::with(10_060_014, "shipping_list"))?;
        if !is_split && list.len() != 1 {
            return Err(Refusal::new(268_485_228));
        }
        if list.is_empty() {
            return Err(Refusal::with(10_060_014, "shipping_list"));
        }
        if list.len() > MOST_PARCELS {
            return Err(Refusal::new(10_060_024));
        }
        let parcels = list.iter().map(|parcel| Parcel::parse(parcel, logistics_type, uploaded_ms));
        Ok(Self {
            logistics_type,
            delivery_mode,
            is_finished: !is_split || is_all == Some(true),
            uploaded_ms,
            parcels: parcels.collect::<Result<_, _>>()?,
        })
    }

    /// Whether it goes the same way as an earlier one.
    pub(super) fn is_same_way(&self, earlier: &Self) -> bool {
        self.logistics_type == earlier.logistics_type && self.delivery_mode == earlier.delivery_mode
    }

    /// Uploaded before the earlier one, or the same again.
    pub(super) fn is_no_news_after(&self, earlier: &Self) -> bool {
        let is_known = |parcel: &Parcel| earlier.parcels.iter().any(|old| old.is_same(parcel));
        let is_same = self.is_same_way(earlier)
            && self.is_finished == earlier.is_finished
            && self.parcels.iter().all(is_known);
        self.uploaded_ms < earlier.uploaded_ms || is_same
    }

    /// This with the parcels of an earlier one that it does not name.
    pub(super) fn after(self, earlier: Self) -> Self {
        let is_named = |old: &Parcel| self.parcels.iter().any(|new| new.is_tracked_as(old));
        let kept = earlier.parcels.into_iter().filter(|old| !is_named(old)).collect::<Vec<_>>();
        let parcels = kept.into_iter().chain(self.parcels).take(MOST_PARCELS).collect();
        Self { parcels, ..self }
    }

    /// All goods in one line, cut as the platform cuts it.
    pub(super) fn description(&self) -> String {
        let goods: Vec<&str> =
            self.parcels.iter().map(|parcel| parcel.item_desc.as_str()).collect();
        let all = goods.join(";");
        match all.char_indices().nth(MOST_GOODS_CHARACTERS) {
            Some((end, _)) => format!("{}...", all.get(..end).unwrap_or_default()),
            None => all,
        }
    }

    /// As `get_order` tells it.
    pub(super) fn to_json(&self, finished: u32) -> Value {
        let parcels: Vec<Value> = self.parcels.iter().map(Parcel::to_json).collect();
        json!({
            "delivery_mode": self.delivery_mode,
            "logistics_type": self.logistics_type,
            "finish_shipping": self.is_finished,
            "finish_shipping_count": finished,
            "goods_desc": self.description(),
            "shipping_list": parcels,
        })
    }
}

impl Parcel {
    fn parse(given: &Value, logistics_type: i64, uploaded_ms: i64) -> Result<Self, Refusal> {
        let text = |name: &str| given.get(name).and_then(Value::as_str).unwrap_or_default();
        let (tracking_no, express_company) = (text("tracking_no"), text("express_company"));
        let is_express = logistics_type == EXPRESS;
        let goods = text("item_desc");
        let errcode = match () {
            () if is_express && tracking_no.is_empty() => 268_485_226,
            () if is_express && express_company.is_empty() => 268_485_227,
            () if express_company.len() > MOST_NUMBER_BYTES => 10_060_025,
            () if tracking_no.len() > MOST_NUMBER_BYTES => 10_060_026,
            () if goods.is_empty() => 10_060_008,
            () if goods.chars().count() > MOST_GOODS_CHARACTERS => 10_060_009,
            () => 0,
        };
        if errcode != 0 {
            return Err(Refusal::new(errcode));
        }
        let contact = given.get("contact").filter(|contact| contact.is_object());
        Ok(Self {
            tracking_no: tracking_no.to_owned(),
            express_company: express_company.to_owned(),
            item_desc: goods.to_owned(),
            contact: contact.cloned(),
            uploaded_ms,
        })
    }

    fn is_tracked_as(&self, other: &Self) -> bool {
        self.tracking_no == other.tracking_no && self.express_company == other.express_company
    }

    fn is_same(&self, other: &Self) -> bool {
        let Self { item_desc, contact, .. } = self;
        self.is_tracked_as(other) && *item_desc == other.item_desc && *contact == other.contact
    }

    fn to_json(&self) -> Value {
        let mut told = json!({
            "tracking_no": self.tracking_no,
            "express_company": self.express_company,
            "goods_desc": self.item_desc,
            "upload_time": self.uploaded_ms / 1000,
        });
        if let Some(contact) = &self.contact {
            told["contact"] = contact.clone();
        }
        told
    }
}

const EXPRESS: i64 = 1;
/// From public SDKs and error pages; not confirmed.
const MOST_PARCELS: usize = 15;
const MOST_NUMBER_BYTES: usize = 128;
const MOST_GOODS_CHARACTERS: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    fn parcel(tracking_no: &str) -> Value {
        json!({"tracking_no": tracking_no, "express_company": "STO", "item_desc": "茶*1"})
    }

    #[test]
    fn uploads_are_checked_in_the_order_of_their_fields() {
        let whole = json!({
            "logistics_type": 1, "delivery_mode": 1, "shipping_list": [parcel("1")],
        });
        let with = |changes: Value| {
            let mut given = whole.clone();
            for (name, value) in changes.as_object().unwrap() {
                given[name] = value.clone();
            }
            given
        };
        let in_parcel = |name: &str, value: &str| {
            let mut parcel = parcel("1");
            parcel[name] = value.into();
            with(json!({"shipping_list": [parcel]}))
        };
        for (given, errcode) in [
            (whole.clone(), 0),
            (with(json!({"logistics_type": 3, "shipping_list": [{"item_desc": "x"}]})), 0),
            (with(json!({"logistics_type": 5})), 10_060_005),
            (with(json!({"delivery_mode": 3})), 268_485_224),
            (with(json!({"logistics_type": 2, "delivery_mode": 2})), 10_060_006),
            (with(json!({"delivery_mode": 2})), 10_060_007),
            (with(json!({"shipping_list": null})), 10_060_014),
            (with(json!({"shipping_list": [parcel("1"), parcel("2")]})), 268_485_228),
            (
                with(json!({
                    "delivery_mode": 2, "is_all_delivered": true,
                    "shipping_list": vec![parcel("1"); 16],
                })),
                10_060_024,
            ),
            (in_parcel("tracking_no", ""), 268_485_226),
            (in_parcel("express_company", ""), 268_485_227),
            (in_parcel("express_company", &"x".repeat(129)), 10_060_025),
            (in_parcel("tracking_no", &"x".repeat(129)), 10_060_026),
            (in_parcel("item_desc", ""), 10_060_008),
            (in_parcel("item_desc", &"长".repeat(121)), 10_060_009),
        ] {
            let seen = Shipment::parse(&given, 0).map_or_else(|refusal| refusal.errcode, |_| 0);
            assert_eq!(seen, errcode, "{given}");
        }
    }

    #[test]
    fn parcels_are_added_and_descriptions_cut() {
        let split = |numbers: &[&str], is_all: bool, at_ms| {
            let list: Vec<Value> = numbers.iter().map(|number| parcel(number)).collect();
            let given = json!({
                "logistics_type": 1, "delivery_mode": 2, "is_all_delivered": is_all,
                "shipping_list": list,
            });
            Shipment::parse(&given, at_ms).unwrap()
        };
        let (first, second) = (split(&["1"], false, 0), split(&["1", "2"], true, 5));
        assert!(first.is_no_news_after(&first) && !second.is_no_news_after(&first));
        assert!(first.is_no_news_after(&second), "older");
        let both = split(&["2"], true, 5).after(first);
        assert_eq!(both.parcels.len(), 2);
        let long = split(&["1", "2", "3"], true, 0);
        let mut long = long;
        long.parcels.iter_mut().for_each(|parcel| parcel.item_desc = "长".repeat(50));
        assert_eq!(long.description().chars().count(), 123);
    }

    #[test]
    fn times_are_as_rfc_3339_has_them() {
        assert!(upload_ms(Some("2022-12-15T13:29:35.120+08:00")).is_ok());
        for bad in [None, Some("2022-12-15 13:29:35"), Some("1671082175")] {
            assert_eq!(upload_ms(bad).unwrap_err().errcode, 268_485_216);
        }
    }
}
