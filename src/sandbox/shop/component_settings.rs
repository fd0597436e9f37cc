//! Switches of the transaction component: its access, products and orders.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Part of the account's switches. Where the documents leave a value open, the default is the
/// likeliest.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sandbox) struct ComponentSettings {
    /// The answer to an image above 2 MB on `/shop/img/upload`; its page names none.
    pub(in crate::sandbox) image_too_large_errcode: i64,
    /// What `/shop/img/upload` returns when `resp_type` is missing.
    pub(in crate::sandbox) img_resp_type: i64,
    /// Where `/shop/img/upload` looks for the image when `upload_type` is missing.
    pub(in crate::sandbox) img_upload_type: i64,
    /// Seconds until a submitted product is under audit.
    pub(in crate::sandbox) audit_take_up_s: u32,
    /// Seconds from submission to the decision of the audit.
    pub(in crate::sandbox) audit_delay_s: u32,
    /// Why audits fail; none = they pass.
    pub(in crate::sandbox) audit_reject_reason: Option<String>,
    /// Approved categories; none = all.
    pub(in crate::sandbox) third_cats: Option<Vec<i64>>,
    /// Whether a product may name scene groups.
    pub(in crate::sandbox) scene_open: bool,
    /// Whether products are checked beyond their ids.
    pub(in crate::sandbox) check_products: bool,
    /// Whether bodies of `/shop` calls are held against the tables of fields.
    pub(in crate::sandbox) check_fields: bool,
    /// The answer to a wrong argument of a `/shop` call whose documents name no code.
    pub(in crate::sandbox) argument_errcode: i64,
    /// Whether `/shop` calls are refused until the component was applied for.
    pub(in crate::sandbox) require_component: bool,
    /// The answer then: 48001 or 1040003.
    pub(in crate::sandbox) not_joined_errcode: i64,
    /// Whether the platform has banned the component: 48004.
    pub(in crate::sandbox) component_banned: bool,
    /// Whether calls of the dedicated merchant account are refused (48001) until it was applied
    /// for and opened.
    pub(in crate::sandbox) require_merchant_account: bool,
    /// Seconds from the application to the opening of the component.
    pub(in crate::sandbox) register_delay_s: u32,
    /// The answer to the application while the standard component is open; none = it is not.
    pub(in crate::sandbox) standard_component_errcode: Option<i64>,
    /// The answer to finishing a step that is not done; its page names none.
    pub(in crate::sandbox) step_open_errcode: i64,
    /// Whether the last items and the scene wait until the others are finished.
    pub(in crate::sandbox) require_order_of_items: bool,
    /// Whether products need a category of the list, approved where it asks for certificates.
    pub(in crate::sandbox) require_category: bool,
    /// Whether certificates for a category need `scene_group_list`, which its page calls
    /// optional; 1040035 without it.
    pub(in crate::sandbox) require_scene_group_list: bool,
    /// Categories that the mini program itself filed; 1050006 while there are none.
    pub(in crate::sandbox) filed_categories: Vec<Value>,
    /// Brands that it filed; the last one is shown.
    pub(in crate::sandbox) filed_brands: Vec<Value>,
    /// How far `create_time` of an order may be from the platform's clock, in seconds; none =
    /// it is not looked at.
    pub(in crate::sandbox) create_time_skew_s: Option<u32>,
    /// Whether an order of the dedicated account must say when it expires.
    pub(in crate::sandbox) require_expire_time: bool,
    /// Whether a prepay id with `fund_type` 1 is refused (1010004) and not ignored.
    pub(in crate::sandbox) refuse_prepay_id: bool,
    /// Whether an order of the dedicated account needs an address for returns, its own or the
    /// merchant's.
    pub(in crate::sandbox) require_return_address: bool,
    /// Whether an order may only name an attribution id that was given out here (1010061).
    pub(in crate::sandbox) require_known_trace: bool,
    /// Whether orders get a ticket for the old cashier.
    pub(in crate::sandbox) give_tickets: bool,
    /// `cancel_type` of the event of a cancelled order; its values are not known.
    pub(in crate::sandbox) cancel_type: i64,
    /// Days from the receipt to the settlement where the order does not say.
    pub(in crate::sandbox) aftersale_days: u32,
    /// Whether parcels may only name companies of `get_company_list`.
    pub(in crate::sandbox) check_delivery_id: bool,
    /// Whether the last parcel must say when everything was sent.
    pub(in crate::sandbox) require_ship_done_time: bool,
    /// Whether only the last parcel counts for the access process, and not the first.
    pub(in crate::sandbox) delivery_counts_when_finished: bool,
    /// Scene values in which payments are verified.
    pub(in crate::sandbox) scene_values: Vec<i64>,
}

impl Default for ComponentSettings {
    fn default() -> Self {
        Self {
            image_too_large_errcode: 40009,
            img_resp_type: 0,
            img_upload_type: 0,
            audit_take_up_s: 1,
            audit_delay_s: 60,
            audit_reject_reason: None,
            third_cats: None,
            scene_open: false,
            check_products: true,
            check_fields: true,
            argument_errcode: 40097,
            require_component: false,
            not_joined_errcode: 48001,
            component_banned: false,
            require_merchant_account: false,
            register_delay_s: 0,
            standard_component_errcode: None,
            step_open_errcode: 990_022,
            require_order_of_items: false,
            require_category: false,
            require_scene_group_list: false,
            filed_categories: Vec::new(),
            filed_brands: Vec::new(),
            create_time_skew_s: Some(5),
            require_expire_time: false,
            refuse_prepay_id: false,
            require_return_address: true,
            require_known_trace: false,
            give_tickets: false,
            cancel_type: 1,
            aftersale_days: 7,
            check_delivery_id: true,
            require_ship_done_time: false,
            delivery_counts_when_finished: false,
            scene_values: vec![1175, 1176, 1177, 1195],
        }
    }
}
