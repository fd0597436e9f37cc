//! How far an account has come in the access process.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The steps that were done, as far as the platform sees them.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sandbox) struct Access {
    is_joined: bool,
    has_merchant_account: bool,
    proven: BTreeSet<Proof>,
    finished: BTreeSet<u64>,
    scene: Scene,
}

/// What traffic proves; each is a `*_success` flag of `/shop/register/check`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Proof {
    /// A product passed its audit.
    SpuAudit,
    /// An order of the merchant's own account was created and paid.
    PayOrder,
    /// The same of the dedicated account.
    EcOrder,
    /// Something was sent.
    SendDelivery,
    /// An old after-sale was added.
    AddAftersale,
    /// A new after-sale was added.
    EcAfterSale,
}

/// The one scene group with its audit; the numbers of the platform.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Scene {
    /// 0 under audit, 1 done, 2 failed, 3 not audited.
    pub(in crate::sandbox) status: u8,
    /// Why it failed, or that it passed.
    pub(in crate::sandbox) reason: String,
    /// How often it was applied for, so that an old entry of the agenda is told.
    pub(in crate::sandbox) applied: u32,
    /// The audit item that failed although the group's audit is done, if one did.
    #[serde(default)]
    pub(in crate::sandbox) failed_item: Option<u64>,
}

impl Default for Scene {
    fn default() -> Self {
        Self { status: 3, reason: String::new(), applied: 0, failed_item: None }
    }
}

/// An item of `finish_access_info` with what must be proven before, and its flag.
pub(in crate::sandbox) struct Item {
    number: u64,
    /// None for items that need no call.
    pub(in crate::sandbox) needs: Option<Proof>,
    flag: &'static str,
}

/// The item of that number.
pub(in crate::sandbox) fn item(number: u64) -> Option<&'static Item> {
    ITEMS.iter().find(|item| item.number == number)
}

impl Access {
    /// Whether the component is open.
    pub(in crate::sandbox) fn is_joined(&self) -> bool {
        self.is_joined
    }

    /// Opens the component.
    pub(in crate::sandbox) fn join(&mut self) {
        self.is_joined = true;
    }

    /// Cancels the component.
    pub(in crate::sandbox) fn leave(&mut self) {
        self.is_joined = false;
    }

    /// Whether the dedicated merchant account was opened.
    pub(in crate::sandbox) fn has_merchant_account(&self) -> bool {
        self.has_merchant_account
    }

    /// Opens the dedicated merchant account.
    pub(in crate::sandbox) fn open_merchant_account(&mut self) {
        self.has_merchant_account = true;
    }

    /// Notes what traffic has proven.
    pub(in crate::sandbox) fn prove(&mut self, proof: Proof) {
        self.proven.insert(proof);
    }

    /// Whether traffic has proven it.
    pub(in crate::sandbox) fn is_proven(&self, proof: Proof) -> bool {
        self.proven.contains(&proof)
    }

    /// Marks an item finished.
    pub(in crate::sandbox) fn finish(&mut self, item: &Item) {
        self.finished.insert(item.number);
    }

    /// Whether an item is finished.
    pub(in crate::sandbox) fn is_finished(&self, number: u64) -> bool {
        self.finished.contains(&number)
    }

    /// The scene group.
    pub(in crate::sandbox) fn scene(&mut self) -> &mut Scene {
        &mut self.scene
    }

    /// Whether goods may be sold in the scene.
    pub(in crate::sandbox) fn is_scene_open(&self) -> bool {
        self.scene.status == 1 && self.scene.failed_item.is_none()
    }

    /// All of part 2: products, orders and after-sales of either generation, the rest once.
    pub(in crate::sandbox) fn is_all_finished(&self) -> bool {
        let any = |numbers: &[u64]| numbers.iter().any(|number| self.is_finished(*number));
        any(&[6]) && any(&[7, 19]) && any(&[8]) && any(&[9, 20]) && any(&[10]) && any(&[11])
    }

    /// The flags of `/shop/register/check`, each 0 or 1.
    pub(in crate::sandbox) fn flags(&self) -> Value {
        let mut flags = json!({
            "spu_audit_success": u8::from(self.is_proven(Proof::SpuAudit)),
            "pay_order_success": u8::from(self.is_proven(Proof::PayOrder)),
            "ec_order_success": u8::from(self.is_proven(Proof::EcOrder)),
            "send_delivery_success": u8::from(self.is_proven(Proof::SendDelivery)),
            "add_aftersale_success": u8::from(self.is_proven(Proof::AddAftersale)),
            "ec_after_sale_success": u8::from(self.is_proven(Proof::EcAfterSale)),
            "open_product_task_finished": u8::from(self.is_all_finished()),
        });
        for item in ITEMS {
            flags[item.flag] = json!(u8::from(self.is_finished(item.number)));
        }
        flags
    }

    /// The entry of `scene_group_list`.
    pub(in crate::sandbox) fn scene_json(&self) -> Value {
        json!({
            "group_id": 1,
            "name": SCENE_GROUP,
            "status": self.scene.status,
            "reason": self.scene.reason,
            "scene_group_ext_list": self.scene.ext_json(),
        })
    }
}

impl Scene {
    /// The audit items inside the group. They share its state, but for one that failed alone:
    /// the platform was seen to call such a group done.
    pub(in crate::sandbox) fn ext_json(&self) -> Value {
        let status = |id: u64| if self.failed_item == Some(id) { 2 } else { self.status };
        json!([
            { "ext_id": 1, "name": "客服售后", "status": status(1) },
            { "ext_id": 2, "name": "电商平台", "status": status(2) },
        ])
    }
}

const ITEMS: &[Item] = &[
    Item { number: 6, needs: Some(Proof::SpuAudit), flag: "spu_audit_finished" },
    Item { number: 7, needs: Some(Proof::PayOrder), flag: "pay_order_finished" },
    Item { number: 8, needs: Some(Proof::SendDelivery), flag: "send_delivery_finished" },
    Item { number: 9, needs: Some(Proof::AddAftersale), flag: "add_aftersale_finished" },
    Item { number: 10, needs: None, flag: "test_api_finished" },
    Item { number: 11, needs: None, flag: "deploy_wxa_finished" },
    Item { number: 19, needs: Some(Proof::EcOrder), flag: "ec_order_finished" },
    Item { number: 20, needs: Some(Proof::EcAfterSale), flag: "ec_after_sale_finished" },
];

/// The name that the platform gives the only scene group.
pub(in crate::sandbox) const SCENE_GROUP: &str = "视频号、公众号场景";
