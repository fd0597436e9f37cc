//! The events that can be fired by hand, with what they say unless told otherwise.

use serde_json::{Map, Value};

use super::{ids::derived_text, moment, world::World};

/// One kind of message.
pub(super) struct EventSpec {
    /// `Event`, or `MsgType` of what a user writes.
    pub(super) name: &'static str,
    /// Who it comes from and how it is told apart.
    pub(super) kind: Kind,
    /// The field that its own fields stand in; empty where they stand beside the envelope.
    pub(super) body: &'static str,
    /// Its own fields.
    pub(super) fields: &'static [Field],
}

/// Where a message comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// An event of the platform.
    Platform,
    /// An event that a user caused.
    User,
    /// A message that a user wrote; it has a `MsgId`.
    Written,
}

/// A field with its default.
pub(super) type Field = (&'static str, Default);

/// What a field holds unless it is set.
#[derive(Clone, Copy)]
pub(super) enum Default {
    /// This text.
    Text(&'static str),
    /// This text with random characters behind it.
    Made(&'static str),
    /// This number.
    Number(i64),
    /// A number of so many digits.
    Id(u32),
    /// The time, as the platform writes it.
    Time,
    /// A user.
    Openid,
    /// An object.
    Object(&'static [Field]),
    /// A list of one object.
    List(&'static [Field]),
    /// A list of nothing.
    Empty,
}

impl EventSpec {
    /// The message kind of that name.
    pub(super) fn find(name: &str) -> Option<&'static Self> {
        EVENTS.iter().find(|spec| spec.name == name)
    }

    /// All names, for whoever asked for another one.
    pub(super) fn names() -> String {
        let names: Vec<&str> = EVENTS.iter().map(|spec| spec.name).collect();
        names.join(", ")
    }
}

/// The defaults of `fields`.
pub(super) fn made(fields: &[Field], world: &World<'_>) -> Map<String, Value> {
    fields.iter().map(|(name, default)| ((*name).to_owned(), default.value(world))).collect()
}

/// The openid of a user of this app: the same that logs in with the code `user-1`.
pub(super) fn user_openid(world: &World<'_>) -> String {
    let user = format!("{} user", world.account.identity.app_id);
    format!("o{}", derived_text(user.as_bytes(), 27))
}

impl Default {
    fn value(self, world: &World<'_>) -> Value {
        match self {
            Self::Text(text) => text.into(),
            Self::Made(start) => format!("{start}{}", world.number(8)).into(),
            Self::Number(number) => number.into(),
            Self::Id(digits) => world.number(digits).into(),
            Self::Time => moment::text(world.now_ms).into(),
            Self::Openid => user_openid(world).into(),
            Self::Object(fields) => Value::Object(made(fields, world)),
            Self::List(fields) => Value::Array(vec![Value::Object(made(fields, world))]),
            Self::Empty => Value::Array(Vec::new()),
        }
    }
}

use self::Default::{Empty, Id, List, Made, Number, Object, Openid, Text, Time};

const fn of_platform(
    name: &'static str,
    body: &'static str,
    fields: &'static [Field],
) -> EventSpec {
    EventSpec { name, kind: Kind::Platform, body, fields }
}

const fn of_order(name: &'static str, fields: &'static [Field]) -> EventSpec {
    of_platform(name, "order_info", fields)
}

/// All but the first event of an after-sale carry the same two ids.
const fn of_aftersale(name: &'static str) -> EventSpec {
    of_platform(
        name,
        "aftersale_info",
        &[("aftersale_id", Id(16)), ("out_aftersale_id", Made("AS"))],
    )
}

const fn of_user(name: &'static str, fields: &'static [Field]) -> EventSpec {
    EventSpec { name, kind: Kind::User, body: "", fields }
}

const fn written(name: &'static str, fields: &'static [Field]) -> EventSpec {
    EventSpec { name, kind: Kind::Written, body: "", fields }
}

const ORDER: &[Field] = &[("order_id", Id(19)), ("out_order_id", Made("SO"))];
const PRODUCT: &[Field] = &[
    ("out_product_id", Made("SPU")),
    ("product_id", Id(11)),
    ("status", Number(4)),
    ("spu_status", Number(5)),
    ("reject_reason", Text("")),
];

/// Fields as documented for the component (read 2026-08), and for what users write and do.
const EVENTS: &[EventSpec] = &[
    of_platform(
        "open_product_account_register",
        "OpenProductAccountRegister",
        &[("status", Number(2))],
    ),
    of_platform(
        "open_product_category_audit",
        "QualificationAuditResult",
        &[
            ("audit_id", Made("RAAAA")),
            ("status", Number(1)),
            ("audit_type", Number(2)),
            ("reject_reason", Text("")),
        ],
    ),
    of_platform(
        "open_product_brand_audit",
        "QualificationAuditResult",
        &[
            ("audit_id", Made("RQAAA")),
            ("status", Number(1)),
            ("audit_type", Number(1)),
            ("reject_reason", Text("")),
            ("brand_id", Id(7)),
        ],
    ),
    of_platform("open_product_spu_audit", "OpenProductSpuAudit", PRODUCT),
    of_platform(
        "open_product_spu_status_update",
        "OpenProductSpuAudit",
        &[
            ("out_product_id", Made("SPU")),
            ("product_id", Id(11)),
            ("status", Number(13)),
            ("spu_status", Number(13)),
            ("reject_reason", Text("")),
        ],
    ),
    of_platform(
        "open_product_scene_group_audit",
        "SceneGroupAudit",
        &[
            ("group_id", Number(1)),
            ("name", Text("视频号、公众号场景")),
            ("reason", Text("审核通过")),
            (
                "scene_group_ext_list",
                List(&[("ext_id", Number(1)), ("name", Text("客服售后")), ("status", Number(1))]),
            ),
        ],
    ),
    of_order(
        "open_product_order_pay",
        &[
            ("order_id", Id(19)),
            ("out_order_id", Made("SO")),
            ("transaction_id", Made("42000015032022061")),
            ("pay_time", Time),
            ("amount", Number(100)),
            ("payer_amount", Number(100)),
            ("sp_openid", Openid),
            ("promotion_detail_info", Object(&[("promotion_detail_list", Empty)])),
        ],
    ),
    of_order(
        "open_product_order_cancel",
        &[("order_id", Id(19)), ("out_order_id", Made("SO")), ("cancel_type", Number(1))],
    ),
    of_order("open_product_order_confirm", ORDER),
    of_order("open_product_order_refund", ORDER),
    of_order(
        "open_product_order_settle",
        &[
            ("order_id", Id(19)),
            ("out_order_id", Made("SO")),
            ("settle_no", Made("ST")),
            ("amount", Number(100)),
            ("settle_time", Time),
        ],
    ),
    of_order(
        "open_product_order_analyze",
        &[("order_id", Id(19)), ("out_order_id", Made("SO")), ("openid", Openid)],
    ),
    of_platform(
        "open_product_order_update",
        "OrderUpdateNotification",
        &[("update_type", Number(1)), ("ext_order_id", Made("SO"))],
    ),
    of_platform(
        "aftersale_new_order",
        "aftersale_info",
        &[("aftersale_id", Id(16)), ("order_id", Id(19)), ("out_order_id", Made("SO"))],
    ),
    of_aftersale("aftersale_update_order"),
    of_aftersale("aftersale_user_cancel"),
    of_aftersale("aftersale_wait_merchant_confirm_receipt"),
    of_aftersale("aftersale_user_modify_return_info"),
    of_aftersale("aftersale_user_upload_return_info_overdue"),
    of_aftersale("aftersale_merchant_handle_refund_overdue"),
    of_aftersale("aftersale_merchant_handle_return_overdue"),
    of_aftersale("aftersale_merchant_confirm_receipt_overdue"),
    of_aftersale("aftersale_wait_merchant_offline_refund"),
    of_aftersale("aftersale_user_confirm_refund_certificate"),
    of_aftersale("aftersale_user_apply_platform_judge_overdue"),
    of_aftersale("aftersale_complaint_update_order_state"),
    of_aftersale("aftersale_refund_success"),
    of_platform(
        "complaint_notify",
        "complaint_info",
        &[("complaint_order_id", Id(16)), ("state", Number(1)), ("event", Number(1))],
    ),
    of_platform(
        "miniprogram_sharer_bind_status_change",
        "",
        &[("openid", Openid), ("bind_status", Number(1))],
    ),
    of_platform(
        "miniprogram_sharer_action",
        "",
        &[
            ("type", Number(1)),
            ("openid", Openid),
            (
                "promoter",
                Object(&[
                    ("finder_nickname", Text("promoter")),
                    ("promoter_id", Made("P")),
                    ("promoter_openid", Openid),
                ]),
            ),
        ],
    ),
    of_platform(
        "open_product_receive_coupon",
        "",
        &[("out_coupon_id", Made("C")), ("request_id", Made("R"))],
    ),
    of_order(
        "funds_order_pay",
        &[
            ("trade_no", Made("T")),
            ("transaction_id", Made("42000015032022061")),
            ("pay_time", Time),
        ],
    ),
    of_order(
        "funds_order_refund",
        &[("refund_no", Made("RF")), ("status", Text("SUCCESS")), ("success_time", Time)],
    ),
    of_order(
        "funds_order_profitsharing",
        &[
            ("profit_sharing_no", Made("PS")),
            ("amount", Number(100)),
            ("result", Text("SUCCESS")),
            ("finish_time", Time),
        ],
    ),
    of_platform(
        "withdraw_notify",
        "withdraw_info",
        &[("out_request_no", Made("W")), ("event", Text("SUCCESS"))],
    ),
    written("text", &[("Content", Text("你好"))]),
    written(
        "image",
        &[("PicUrl", Text("https://mmbiz.qpic.cn/sandbox/0")), ("MediaId", Made("media"))],
    ),
    of_user("subscribe", &[("EventKey", Text(""))]),
    of_user("unsubscribe", &[("EventKey", Text(""))]),
    of_user("CLICK", &[("EventKey", Text("menu_key"))]),
    of_user("SCAN", &[("EventKey", Text("1")), ("Ticket", Made("gQ"))]),
    of_user("user_enter_tempsession", &[("SessionFrom", Text("sandbox"))]),
    of_user("debug_demo", &[("debug_str", Text("你好"))]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_stands_in_the_table_once() {
        let mut names: Vec<&str> = EVENTS.iter().map(|spec| spec.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), EVENTS.len());
        assert!(EventSpec::find("open_product_order_pay").is_some_and(|e| e.body == "order_info"));
        assert!(EventSpec::find("nothing").is_none());
    }
}
