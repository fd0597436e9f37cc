//! Switches of what stands beside orders: coupons, sharers, accounts, payment orders, funds.

use serde::{Deserialize, Serialize};

/// Part of the account's switches. Where the documents leave a value open, the default is the
/// likeliest.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sandbox) struct ShopSettings {
    /// How the merchant's system answers when coupons are confirmed.
    pub(in crate::sandbox) coupon_confirm: CouponConfirm,
    /// Whether coupon calls are refused until they were confirmed.
    pub(in crate::sandbox) require_coupon_confirm: bool,
    /// The answer then; no page names one.
    pub(in crate::sandbox) coupon_unconfirmed_errcode: i64,
    /// Whether coupons end by themselves when their time is over.
    pub(in crate::sandbox) coupons_expire: bool,
    /// What becomes of invitations.
    pub(in crate::sandbox) sharer_answer: SharerAnswer,
    /// Seconds from the invitation until then.
    pub(in crate::sandbox) sharer_answer_delay_s: u32,
    /// Sharers that a mini program may have; then reason 200.
    pub(in crate::sandbox) sharer_limit: u32,
    /// Days that a sharer stays bound at least; earlier ones are not unbound.
    pub(in crate::sandbox) sharer_bound_days: u32,
    /// Whether every invitation fails because the platform is busy: reason 100.
    pub(in crate::sandbox) sharers_busy: bool,
    /// `live_status` of every live; its values are not documented.
    pub(in crate::sandbox) live_status: u64,
    /// Who sells for the mini program.
    pub(in crate::sandbox) promoters: Vec<Promoter>,
    /// Who the mini program belongs to.
    pub(in crate::sandbox) merchant: MerchantSubject,
    /// `applyment_state` of an application that waits; only FINISH is documented.
    pub(in crate::sandbox) applyment_waiting_state: String,
    /// The same of one that was rejected.
    pub(in crate::sandbox) applyment_rejected_state: String,
    /// Seconds in which a payment order must be paid, unless it says when.
    pub(in crate::sandbox) payment_order_life_s: u32,
    /// Seconds after which the payer pays by himself; none = never.
    pub(in crate::sandbox) payment_order_paid_after_s: Option<u32>,
    /// Seconds that a refund or a settlement of a payment order takes.
    pub(in crate::sandbox) payment_refund_delay_s: u32,
    /// How it ends; anything but SUCCESS moves no money.
    pub(in crate::sandbox) payment_refund_result: String,
    /// Days after which a paid payment order is settled by itself.
    pub(in crate::sandbox) profit_sharing_delay_days: u32,
    /// Seconds that the bank takes for a withdrawal.
    pub(in crate::sandbox) withdraw_delay_s: u32,
    /// Why withdrawals fail; none = they succeed.
    pub(in crate::sandbox) withdraw_fail_reason: Option<String>,
    /// `status` of a withdrawal that waits for its code, is on its way, succeeded, failed; only
    /// SUCCESS is documented.
    pub(in crate::sandbox) withdraw_statuses: [String; 4],
    /// Seconds after which a confirmation code is scanned by itself; none = never.
    pub(in crate::sandbox) code_scan_delay_s: Option<u32>,
    /// Life of a confirmation code, in seconds.
    pub(in crate::sandbox) code_life_s: u32,
    /// `status` of a code that waits, was scanned, is too old; none is documented.
    pub(in crate::sandbox) code_statuses: [i64; 3],
    /// `event` of a record that the merchant adds to a dispute; not documented.
    pub(in crate::sandbox) complaint_material_event: u64,
}

/// How the merchant's system answers the event that confirms its coupons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::sandbox) enum CouponConfirm {
    /// As it should.
    Accept,
    /// With something else: 1090020.
    Refuse,
    /// Not at all: 1090032.
    Unreachable,
}

/// What becomes of an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::sandbox) enum SharerAnswer {
    /// The person accepts.
    Accept,
    /// The person refuses.
    Refuse,
    /// Nobody answers, and it expires.
    Expire,
    /// It waits until it is answered by hand.
    Wait,
}

/// Somebody who sells for the mini program.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::sandbox) struct Promoter {
    /// Unique id.
    pub(in crate::sandbox) promoter_id: String,
    /// openid.
    pub(in crate::sandbox) promoter_openid: String,
    /// Name of the Channels account.
    pub(in crate::sandbox) finder_nickname: String,
}

/// What the platform knows of the owner of a mini program, in the words of the calls that show
/// it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::sandbox) struct MerchantSubject {
    /// Name of the enterprise.
    pub(in crate::sandbox) merchant_name: String,
    /// Number of its licence.
    pub(in crate::sandbox) business_license_number: String,
    /// Name of the administrator.
    pub(in crate::sandbox) contact_name: String,
    /// Identity number of the administrator.
    pub(in crate::sandbox) contact_id_card_number: String,
    /// Mobile number of the administrator.
    pub(in crate::sandbox) mobile_phone: String,
    /// Short name, and name of the shop.
    pub(in crate::sandbox) store_name: String,
}

impl Default for MerchantSubject {
    fn default() -> Self {
        Self {
            merchant_name: "沙箱贸易有限公司".to_owned(),
            business_license_number: "91330100MA0SANDBOX".to_owned(),
            contact_name: "沙箱管理员".to_owned(),
            contact_id_card_number: "330100199001010011".to_owned(),
            mobile_phone: "13800000000".to_owned(),
            store_name: "沙箱小店".to_owned(),
        }
    }
}

impl Default for ShopSettings {
    fn default() -> Self {
        Self {
            coupon_confirm: CouponConfirm::Accept,
            require_coupon_confirm: true,
            coupon_unconfirmed_errcode: 1_090_032,
            coupons_expire: true,
            sharer_answer: SharerAnswer::Accept,
            sharer_answer_delay_s: 60,
            sharer_limit: 10_000,
            sharer_bound_days: 30,
            sharers_busy: false,
            live_status: 2,
            promoters: Vec::new(),
            merchant: MerchantSubject::default(),
            // WeChat Pay's own words for applications and withdrawals, which the component's
            // pages do not repeat.
            applyment_waiting_state: "AUDITING".to_owned(),
            applyment_rejected_state: "REJECTED".to_owned(),
            payment_order_life_s: 7200,
            payment_order_paid_after_s: None,
            payment_refund_delay_s: 1,
            payment_refund_result: "SUCCESS".to_owned(),
            profit_sharing_delay_days: 7,
            withdraw_delay_s: 60,
            withdraw_fail_reason: None,
            withdraw_statuses: ["INIT", "CREATE_SUCCESS", "SUCCESS", "FAIL"].map(str::to_owned),
            code_scan_delay_s: Some(5),
            code_life_s: 300,
            code_statuses: [1, 0, 2],
            complaint_material_event: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::sandbox::calls::bench::Bench;

    #[test]
    fn these_switches_stand_among_the_others() {
        let bench = Bench::new();
        bench.set(&json!({"coupon_confirm": "refuse", "promoters": [{"promoter_id": "p"}]}));
        let settings = bench.control("GET", "state", "").1["settings"].clone();
        assert_eq!(settings["coupon_confirm"], "refuse");
        assert_eq!(settings["promoters"][0]["finder_nickname"], "");
        assert_eq!(settings["sharer_limit"], 10_000);
        for bad in [
            json!({"coupon_confirm": "perhaps"}),
            json!({"sharer_limit": -1}),
            json!({"promoters": [{"name": "p"}]}),
            json!({"withdraw_statuses": ["A"]}),
        ] {
            assert_eq!(bench.control("POST", "state", &bad.to_string()).0, 400, "{bad}");
        }
    }
}
