//! A product with its draft, its online copy, and the audit between them.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::sandbox::{moment, settings::Settings};

/// `edit_status`: what becomes of the draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum EditStatus {
    /// 1: withdrawn, or submitted but not taken up yet.
    Editing = 1,
    /// 2.
    UnderAudit = 2,
    /// 3.
    Failed = 3,
    /// 4.
    Passed = 4,
}

/// `status`: what becomes of the online copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Status {
    /// 0: never passed an audit.
    Initial = 0,
    /// 5.
    OnSale = 5,
    /// 11: taken off by the merchant.
    Delisted = 11,
    /// 13: taken off by the platform.
    TakenOff = 13,
}

/// One product. Audits are not driven by a timer: [`Product::settle`] brings it up to date
/// whenever somebody looks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Product {
    /// The platform's id.
    pub(in crate::sandbox) product_id: u64,
    /// Ids of its SKUs, `out_sku_id` to `sku_id`, in the order of the draft.
    pub(in crate::sandbox) sku_ids: Vec<(String, u64)>,
    draft: Map<String, Value>,
    online: Option<Map<String, Value>>,
    edit_status: EditStatus,
    status: Status,
    audit: Audit,
    created_ms: i64,
    updated_ms: i64,
}

/// A product as an answer shows it, without a copy of its fields.
#[derive(Debug, Serialize)]
pub(in crate::sandbox) struct ProductView<'a> {
    #[serde(flatten)]
    fields: &'a Map<String, Value>,
    product_id: u64,
    audit_info: AuditView<'a>,
    status: u8,
    edit_status: u8,
    create_time: String,
    update_time: String,
}

#[derive(Debug, Serialize)]
struct AuditView<'a> {
    audit_id: &'a str,
    submit_time: String,
    audit_time: String,
    reject_reason: &'a str,
}

/// The latest audit.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Audit {
    id: String,
    submitted_ms: i64,
    taken_up_ms: i64,
    decides_ms: i64,
    decided_ms: Option<i64>,
    is_told: bool,
    reject_reason: Option<String>,
}

impl Product {
    /// A product whose first audit begins now.
    pub(in crate::sandbox) fn new(
        product_id: u64,
        draft: Map<String, Value>,
        sku_ids: Vec<(String, u64)>,
        audit_id: String,
        settings: &Settings,
        now_ms: i64,
    ) -> Self {
        Self {
            product_id,
            sku_ids,
            draft,
            online: None,
            edit_status: EditStatus::Editing,
            status: Status::Initial,
            audit: Audit::new(audit_id, false, settings, now_ms),
            created_ms: now_ms,
            updated_ms: now_ms,
        }
    }

    /// Replaces the draft and submits it. A change of nothing but price and stock is decided as
    /// soon as it is taken up. Not to be called while [`Product::is_under_audit`].
    pub(in crate::sandbox) fn update(
        &mut self,
        draft: Map<String, Value>,
        sku_ids: Vec<(String, u64)>,
        audit_id: String,
        settings: &Settings,
        now_ms: i64,
    ) {
        let is_quick = self.online.as_ref().is_some_and(|online| {
            without_price_and_stock(online) == without_price_and_stock(&draft)
        });
        self.draft = draft;
        self.sku_ids = sku_ids;
        self.audit = Audit::new(audit_id, is_quick, settings, now_ms);
        self.edit_status = EditStatus::Editing;
        self.updated_ms = now_ms;
    }

    /// Changes draft and online copy alike, without an audit.
    pub(in crate::sandbox) fn change_both(
        &mut self,
        now_ms: i64,
        change: impl Fn(&mut Map<String, Value>),
    ) {
        change(&mut self.draft);
        if let Some(online) = &mut self.online {
            change(online);
        }
        self.updated_ms = now_ms;
    }

    /// Withdraws a submission that is under audit; false if none is.
    pub(in crate::sandbox) fn withdraw(&mut self) -> bool {
        let is_under_audit = self.is_under_audit();
        if is_under_audit {
            self.edit_status = EditStatus::Editing;
            // Nothing takes it up again but a new submission.
            self.audit.taken_up_ms = i64::MAX;
        }
        is_under_audit
    }

    /// Decides the submission that waits now and not at its time; false if none waits.
    pub(in crate::sandbox) fn decide(
        &mut self,
        reject_reason: Option<String>,
        now_ms: i64,
    ) -> bool {
        let waits = self.is_waiting();
        if waits {
            self.audit.reject_reason = reject_reason;
            self.audit.taken_up_ms = now_ms;
            self.audit.decides_ms = now_ms;
            self.settle(now_ms);
        }
        waits
    }

    /// Whether a submission waits for its decision.
    pub(in crate::sandbox) fn is_waiting(&self) -> bool {
        match self.edit_status {
            EditStatus::Editing => self.audit.taken_up_ms != i64::MAX,
            EditStatus::UnderAudit => true,
            EditStatus::Failed | EditStatus::Passed => false,
        }
    }

    /// What the draft calls it.
    pub(in crate::sandbox) fn title(&self) -> &str {
        self.draft.get("title").and_then(Value::as_str).unwrap_or_default()
    }

    /// Moves the online copy from one of `from` to `to`; false if it is in another state.
    pub(in crate::sandbox) fn shift(&mut self, from: &[Status], to: Status, now_ms: i64) -> bool {
        let is_allowed = from.contains(&self.status);
        if is_allowed {
            self.status = to;
            self.updated_ms = now_ms;
        }
        is_allowed
    }

    /// Whether a SKU is in the online copy.
    pub(in crate::sandbox) fn is_online(&self, out_sku_id: &str) -> bool {
        let online = self.online.as_ref().and_then(|online| online.get("skus")?.as_array());
        online.into_iter().flatten().any(|sku| sku.get("out_sku_id") == Some(&out_sku_id.into()))
    }

    /// The state of the online copy.
    pub(in crate::sandbox) fn status(&self) -> Status {
        self.status
    }

    /// Whether the draft has passed an audit.
    pub(in crate::sandbox) fn is_passed(&self) -> bool {
        self.edit_status == EditStatus::Passed
    }

    /// When it was added.
    pub(in crate::sandbox) fn created_ms(&self) -> i64 {
        self.created_ms
    }

    /// When it was last changed.
    pub(in crate::sandbox) fn updated_ms(&self) -> i64 {
        self.updated_ms
    }

    /// Takes the audit as far as it has come by now.
    pub(in crate::sandbox) fn settle(&mut self, now_ms: i64) {
        if self.edit_status == EditStatus::Editing && now_ms >= self.audit.taken_up_ms {
            self.edit_status = EditStatus::UnderAudit;
        }
        if self.edit_status != EditStatus::UnderAudit || now_ms < self.audit.decides_ms {
            return;
        }
        self.audit.decided_ms = Some(self.audit.decides_ms);
        if self.audit.reject_reason.is_some() {
            self.edit_status = EditStatus::Failed;
        } else {
            self.edit_status = EditStatus::Passed;
            self.online = Some(self.draft.clone());
            // A later pass leaves what the merchant or the platform took off.
            if self.status == Status::Initial {
                self.status = Status::OnSale;
            }
            self.updated_ms = self.audit.decides_ms;
        }
    }

    /// When the latest submission is decided.
    pub(in crate::sandbox) fn decides_ms(&self) -> i64 {
        self.audit.decides_ms
    }

    /// Whether there is a decision that nobody was told of; afterwards there is none.
    pub(in crate::sandbox) fn take_decision(&mut self) -> bool {
        self.audit.decided_ms.is_some() && !std::mem::replace(&mut self.audit.is_told, true)
    }

    /// The body of an event about the product as it is now.
    pub(in crate::sandbox) fn told(&self, out_product_id: &str) -> Value {
        json!({
            "out_product_id": out_product_id,
            "product_id": self.product_id,
            "status": self.edit_status as u8,
            "spu_status": self.status as u8,
            "reject_reason": self.reject_reason(),
        })
    }

    fn reject_reason(&self) -> &str {
        match self.edit_status {
            EditStatus::Failed => self.audit.reject_reason.as_deref().unwrap_or_default(),
            EditStatus::Editing | EditStatus::UnderAudit | EditStatus::Passed => "",
        }
    }

    /// Whether the draft is out of the merchant's hands.
    pub(in crate::sandbox) fn is_under_audit(&self) -> bool {
        self.edit_status == EditStatus::UnderAudit
    }

    /// As `/shop/spu/get` shows it. Until a first audit has passed, the draft stands for the
    /// online copy too.
    pub(in crate::sandbox) fn view(&self, is_draft: bool) -> ProductView<'_> {
        let online = self.online.as_ref().unwrap_or(&self.draft);
        let time = |at: Option<i64>| at.map(moment::text).unwrap_or_default();
        ProductView {
            fields: if is_draft { &self.draft } else { online },
            product_id: self.product_id,
            audit_info: AuditView {
                audit_id: &self.audit.id,
                submit_time: time(Some(self.audit.submitted_ms)),
                audit_time: time(self.audit.decided_ms),
                reject_reason: self.reject_reason(),
            },
            status: self.status as u8,
            edit_status: self.edit_status as u8,
            create_time: moment::text(self.created_ms),
            update_time: moment::text(self.updated_ms),
        }
    }

    /// `[{"sku_id","out_sku_id"}]`.
    pub(in crate::sandbox) fn skus_json(&self) -> Vec<Value> {
        let skus = self.sku_ids.iter();
        skus.map(|(out, id)| json!({ "sku_id": id, "out_sku_id": out })).collect()
    }
}

impl Audit {
    /// What is decided without delay is quick: a change of price and stock.
    fn new(id: String, is_quick: bool, settings: &Settings, now_ms: i64) -> Self {
        let take_up_ms = i64::from(settings.component.audit_take_up_s) * 1000;
        let delay_ms = i64::from(settings.component.audit_delay_s) * 1000;
        let taken_up_ms = now_ms.saturating_add(take_up_ms.min(delay_ms));
        let decides_ms = if is_quick { taken_up_ms } else { now_ms.saturating_add(delay_ms) };
        let reject_reason = settings.component.audit_reject_reason.clone();
        Self {
            id,
            submitted_ms: now_ms,
            taken_up_ms,
            decides_ms,
            decided_ms: None,
            is_told: false,
            reject_reason,
        }
    }
}

/// What remains to be compared.
fn without_price_and_stock(spu: &Map<String, Value>) -> Map<String, Value> {
    let mut rest = spu.clone();
    for sku in rest.get_mut("skus").and_then(Value::as_array_mut).into_iter().flatten() {
        if let Some(sku) = sku.as_object_mut() {
            for name in ["sale_price", "market_price", "stock_num"] {
                sku.remove(name);
            }
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(title: &str, price: u32) -> Map<String, Value> {
        match json!({"title": title, "skus": [{"out_sku_id": "s", "sale_price": price}]}) {
            Value::Object(draft) => draft,
            _ => Map::new(),
        }
    }

    fn product(settings: &Settings) -> Product {
        Product::new(7, draft("a", 1), vec![("s".into(), 8)], "A".into(), settings, 0)
    }

    fn shown(product: &Product, is_draft: bool) -> Value {
        serde_json::to_value(product.view(is_draft)).unwrap()
    }

    fn seen(product: &mut Product, at_s: i64) -> (u64, u64, String) {
        product.settle(at_s * 1000);
        let spu = shown(product, false);
        let number = |name: &str| spu[name].as_u64().unwrap();
        (number("edit_status"), number("status"), spu["title"].as_str().unwrap().to_owned())
    }

    #[test]
    fn a_passed_audit_copies_the_draft_online() {
        let settings = Settings::default();
        let mut product = product(&settings);
        assert_eq!(seen(&mut product, 0), (1, 0, "a".into()));
        assert_eq!(seen(&mut product, 1), (2, 0, "a".into()));
        assert_eq!(seen(&mut product, 60), (4, 5, "a".into()));
        product.update(draft("b", 1), Vec::new(), "B".into(), &settings, 100_000);
        assert_eq!(seen(&mut product, 159), (2, 5, "a".into()), "the old copy is online");
        assert_eq!(shown(&product, true)["title"], "b");
        assert_eq!(seen(&mut product, 160), (4, 5, "b".into()));
        assert_eq!(shown(&product, false)["audit_info"]["audit_time"], "1970-01-01 08:02:40");
    }

    #[test]
    fn a_failed_audit_leaves_the_online_copy_and_says_why() {
        let mut settings = Settings::default();
        let mut product = product(&settings);
        product.settle(60_000);
        settings.component.audit_reject_reason = Some("test goods".into());
        product.update(draft("b", 1), Vec::new(), "B".into(), &settings, 100_000);
        assert_eq!(seen(&mut product, 200), (3, 5, "a".into()));
        assert_eq!(shown(&product, true)["audit_info"]["reject_reason"], "test goods");
    }

    #[test]
    fn price_and_stock_alone_pass_quickly() {
        let settings = Settings::default();
        let mut product = product(&settings);
        product.settle(60_000);
        product.update(draft("a", 2), Vec::new(), "B".into(), &settings, 100_000);
        assert_eq!(seen(&mut product, 101).0, 4);
        assert_eq!(shown(&product, false)["skus"][0]["sale_price"], 2);
    }
}
