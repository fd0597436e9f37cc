//! Disputes between a buyer and the merchant that the platform decides.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    demand,
    fields::{Fields, at, number, text},
};
use crate::sandbox::{refusal::Refusal, settings::Settings, world::World};

/// All disputes of an account, by the platform's id.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sandbox) struct Complaints {
    complaints: BTreeMap<u64, Complaint>,
    opened: u64,
}

/// One dispute. Its numbers are not documented: they are as control sets them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Complaint {
    /// From 1 in the order of opening.
    number: u64,
    order_id: u64,
    after_sale_order_id: u64,
    openid: String,
    phone_number: String,
    state: u64,
    kind: u64,
    /// Unix seconds.
    pub(in crate::sandbox) created_s: u64,
    updated_s: u64,
    /// When the present state ends; 0 = never.
    expired_s: u64,
    judge_result: u64,
    records: Vec<Record>,
}

/// What somebody said.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Record {
    by: Side,
    body: Fields,
}

/// Who said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Side {
    User,
    Merchant,
    Platform,
}

impl Side {
    /// The field that its records stand in.
    fn field(self) -> &'static str {
        match self {
            Self::User => "user_record",
            Self::Merchant => "merchant_record",
            Self::Platform => "op_record",
        }
    }
}

impl Complaints {
    /// A dispute.
    pub(in crate::sandbox) fn find(&self, id: u64) -> Option<&Complaint> {
        self.complaints.get(&id)
    }

    /// All with their ids, in the order of opening.
    pub(in crate::sandbox) fn all(&self) -> Vec<(u64, &Complaint)> {
        let mut all: Vec<_> = self.complaints.iter().map(|(id, one)| (*id, one)).collect();
        all.sort_by_key(|(_, complaint)| complaint.number);
        all
    }
}

impl Complaint {
    /// Whether it fits what a list asks for.
    pub(in crate::sandbox) fn fits(&self, wanted: &Fields) -> bool {
        let is = |name: &str, own: u64| {
            number(wanted, name).is_none_or(|wanted| wanted == 0 || wanted == own)
        };
        is("state", self.state)
            && is("type", self.kind)
            && is("order_id", self.order_id)
            && is("after_sale_order_id", self.after_sale_order_id)
            && number(wanted, "begin_create_time").is_none_or(|from_s| from_s <= self.created_s)
            && number(wanted, "end_create_time").is_none_or(|until_s| self.created_s <= until_s)
    }

    /// As the calls show it: the order's id as text.
    pub(in crate::sandbox) fn to_json(&self, id: u64) -> Value {
        json!({
            "complaint_order_id": id,
            "order_id": self.order_id.to_string(),
            "after_sale_order_id": self.after_sale_order_id,
            "openid": self.openid,
            "phone_number": self.phone_number,
            "state": self.state,
            "type": self.kind,
            "create_time": self.created_s,
            "update_time": self.updated_s,
            "expired_time": self.expired_s,
            "judge_result": self.judge_result,
        })
    }

    /// Its history, oldest first.
    pub(in crate::sandbox) fn records_json(&self) -> Vec<Value> {
        let record = |one: &Record| {
            let mut shown = Map::new();
            shown.insert(one.by.field().to_owned(), Value::Object(one.body.clone()));
            Value::Object(shown)
        };
        self.records.iter().map(record).collect()
    }

    /// Takes over what control sets.
    fn set(&mut self, set: &Fields) {
        for (name, slot) in [
            ("order_id", &mut self.order_id),
            ("after_sale_order_id", &mut self.after_sale_order_id),
            ("state", &mut self.state),
            ("type", &mut self.kind),
            ("expired_time", &mut self.expired_s),
            ("judge_result", &mut self.judge_result),
        ] {
            *slot = number(set, name).unwrap_or(*slot);
        }
        for (name, slot) in [("openid", &mut self.openid), ("phone_number", &mut self.phone_number)]
        {
            if let Some(given) = text(set, name) {
                given.clone_into(slot);
            }
        }
    }
}

/// Opens a dispute with the fields of `set`, or moves the one that `complaint_order_id` names;
/// the platform tells of it. `event`, `state_describe`, `event_describe`, `content` and
/// `media_url_list` make its next record, written by `by`: `user`, `merchant` or `platform`.
///
/// The id, or why not.
pub(in crate::sandbox) fn open(world: &mut World<'_>, set: &Fields) -> Result<u64, String> {
    let by = match text(set, "by") {
        None | Some("user") => Side::User,
        Some("merchant") => Side::Merchant,
        Some("platform") => Side::Platform,
        Some(_) => return Err("`by` is user, merchant or platform".to_owned()),
    };
    let now_s = u64::try_from(world.now_ms / 1000).unwrap_or_default();
    let named = at(set, "complaint_order_id").map(Value::as_u64);
    let id = match named {
        Some(given) => given.ok_or("`complaint_order_id` is a number")?,
        None => make(world, now_s)?,
    };
    let event = number(set, "event").unwrap_or(OPENED_BY_USER);
    let now_ms = world.now_ms;
    let complaint = world.state.shop.complaints.complaints.get_mut(&id);
    let complaint = complaint.ok_or_else(|| format!("there is no complaint {id}"))?;
    if complaint.records.len() >= MOST_RECORDS {
        return Err(format!("a complaint has at most {MOST_RECORDS} records"));
    }
    complaint.set(set);
    complaint.updated_s = now_s;
    let state = complaint.state;
    let is_first = complaint.records.is_empty();
    let described = |name: &str, usual: &str| {
        let usual = if is_first { usual } else { "" };
        text(set, name).unwrap_or(usual).to_owned()
    };
    let body = json!({
        "state": state,
        "state_describe": described("state_describe", "商家售后处理中"),
        "event": event,
        "event_describe": described("event_describe", "用户发起投诉"),
        "time": now_ms.to_string(),
        "material_info": {
            "content": at(set, "content"),
            "media_url_list": at(set, "media_url_list").filter(|list| list.is_array()),
        },
    });
    let body = body.as_object().cloned().unwrap_or_default();
    complaint.records.push(Record { by, body });
    let told = json!({ "complaint_order_id": id, "state": state, "event": event });
    world.tell("complaint_notify", Map::from_iter([("complaint_info".to_owned(), told)]));
    Ok(id)
}

fn make(world: &mut World<'_>, now_s: u64) -> Result<u64, String> {
    if world.state.shop.complaints.complaints.len() >= MOST_COMPLAINTS {
        return Err("the sandbox is full, reset it".to_owned());
    }
    let mut id = world.number(8);
    while world.state.shop.complaints.find(id).is_some() {
        id = world.number(8);
    }
    let complaints = &mut world.state.shop.complaints;
    complaints.opened += 1;
    let complaint = Complaint {
        number: complaints.opened,
        order_id: 0,
        after_sale_order_id: 0,
        openid: String::new(),
        phone_number: String::new(),
        state: STATE_AT_FIRST,
        kind: KIND_OF_THE_SAMPLE,
        created_s: now_s,
        updated_s: now_s,
        expired_s: 0,
        judge_result: 0,
        records: Vec::new(),
    };
    complaints.complaints.insert(id, complaint);
    Ok(id)
}

/// The merchant adds evidence; the state stays, and nothing is told.
pub(in crate::sandbox) fn add_material(
    world: &mut World<'_>,
    id: u64,
    material: &Value,
    settings: &Settings,
) -> Result<(), Refusal> {
    let (now_ms, event) = (world.now_ms, settings.shop.complaint_material_event);
    let nickname = settings.shop.merchant.contact_name.as_str();
    let complaint = world.state.shop.complaints.complaints.get_mut(&id);
    let complaint =
        complaint.ok_or_else(|| demand::wrong(settings, "complaint_order_id is not known"))?;
    if complaint.records.len() >= MOST_RECORDS {
        return Err(demand::full());
    }
    let body = json!({
        "state": complaint.state,
        "state_describe": "",
        "event": event,
        "event_describe": "商家补充凭证",
        "time": now_ms.to_string(),
        "material_info": material,
        "operator_nickname": nickname,
    });
    let body = body.as_object().cloned().unwrap_or_default();
    complaint.updated_s = u64::try_from(now_ms / 1000).unwrap_or_default();
    complaint.records.push(Record { by: Side::Merchant, body });
    Ok(())
}

/// Numbers of the documents' sample, which are all that is known of them.
const STATE_AT_FIRST: u64 = 230_000;
const OPENED_BY_USER: u64 = 240_001;
const KIND_OF_THE_SAMPLE: u64 = 7;
const MOST_COMPLAINTS: usize = 10_000;
const MOST_RECORDS: usize = 100;
