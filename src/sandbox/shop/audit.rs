//! Certificates submitted for a category or a brand, with the decisions about them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{category, fields::Fields};
use crate::sandbox::{due::Due, refusal::Refusal, world::World};

/// All submissions of an account.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sandbox) struct Audits {
    submissions: BTreeMap<String, Submission>,
}

/// One submission.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Submission {
    /// What was submitted.
    pub(in crate::sandbox) subject: Subject,
    submitted_ms: i64,
    decision: Option<Decision>,
}

/// What a submission is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum Subject {
    /// A category, by its third level.
    Category {
        /// Its id.
        third_cat_id: i64,
    },
    /// A brand.
    Brand {
        /// What was filed.
        info: Fields,
    },
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Decision {
    /// None = passed.
    reject_reason: Option<String>,
    /// Of a brand that passed.
    brand_id: u64,
}

impl Audits {
    /// Whether products may carry the category: it needs no certificate, or it was approved.
    pub(in crate::sandbox) fn owns(&self, third_cat_id: i64) -> bool {
        let is_free = category::find(third_cat_id).is_some_and(|found| !found.needs_certificate());
        is_free || self.is_approved(third_cat_id)
    }

    /// Whether the category passed an audit.
    pub(in crate::sandbox) fn is_approved(&self, third_cat_id: i64) -> bool {
        let wanted = Subject::Category { third_cat_id };
        self.submissions.values().any(|one| one.subject == wanted && one.is_passed())
    }

    /// The brands that passed, with their ids.
    pub(in crate::sandbox) fn brands(&self) -> impl Iterator<Item = (u64, &Fields)> {
        self.submissions.values().filter(|one| one.is_passed()).filter_map(|one| {
            match (&one.subject, &one.decision) {
                (Subject::Brand { info }, Some(decision)) => Some((decision.brand_id, info)),
                (Subject::Brand { .. } | Subject::Category { .. }, _) => None,
            }
        })
    }

    /// The answer of `/shop/audit/result`: 0 under audit, 1 passed, 9 rejected.
    pub(in crate::sandbox) fn result(&self, audit_id: &str) -> Option<Value> {
        let submission = self.submissions.get(audit_id)?;
        Some(match &submission.decision {
            None => json!({ "status": 0 }),
            Some(Decision { reject_reason: Some(reason), .. }) => {
                json!({ "status": 9, "reject_reason": reason })
            }
            Some(Decision { brand_id, .. }) => json!({ "status": 1, "brand_id": brand_id }),
        })
    }

    /// Those that wait for a decision.
    pub(in crate::sandbox) fn waiting(&self) -> impl Iterator<Item = (&str, &Submission)> {
        let waiting = self.submissions.iter().filter(|(_, one)| one.decision.is_none());
        waiting.map(|(id, one)| (id.as_str(), one))
    }

    /// Forgets everything, as a cancelled component does.
    pub(in crate::sandbox) fn clear(&mut self) {
        self.submissions.clear();
    }
}

impl Submission {
    fn is_passed(&self) -> bool {
        self.decision.as_ref().is_some_and(|decision| decision.reject_reason.is_none())
    }
}

/// Submits; the id of the audit.
pub(in crate::sandbox) fn submit(
    world: &mut World<'_>,
    subject: Subject,
) -> Result<String, Refusal> {
    if world.state.shop.audits.submissions.len() >= MOST_SUBMISSIONS {
        return Err(Refusal::with(-1, "the sandbox is full, reset it"));
    }
    let mark = match subject {
        Subject::Category { .. } => "RAAAA",
        Subject::Brand { .. } => "RQAAA",
    };
    let audit_id = format!("{mark}{}", world.text(AUDIT_ID_LENGTH - mark.len()));
    let submission = Submission { subject, submitted_ms: world.now_ms, decision: None };
    world.state.shop.audits.submissions.insert(audit_id.clone(), submission);
    let delay_ms = i64::from(world.state.settings.component.audit_delay_s) * 1000;
    world.later(delay_ms, Due::Audit { audit_id: audit_id.clone() });
    Ok(audit_id)
}

/// Decides as the switch says, unless somebody has decided before.
pub(in crate::sandbox) fn decide_due(world: &mut World<'_>, audit_id: &str) {
    let reason = world.state.settings.component.audit_reject_reason.clone();
    decide(world, audit_id, reason);
}

/// Decides what waits, and tells of it; false if nothing of that id waits.
pub(in crate::sandbox) fn decide(
    world: &mut World<'_>,
    audit_id: &str,
    reject_reason: Option<String>,
) -> bool {
    let brand_id = 2_100_000 + world.state.shop.audits.brands().count() as u64 + 1;
    let Some(submission) = world.state.shop.audits.submissions.get_mut(audit_id) else {
        return false;
    };
    if submission.decision.is_some() {
        return false;
    }
    let status = if reject_reason.is_some() { 9 } else { 1 };
    let reason = reject_reason.clone().unwrap_or_default();
    let mut body = json!({ "audit_id": audit_id, "status": status, "reject_reason": reason });
    let (name, audit_type) = match submission.subject {
        Subject::Category { .. } => ("open_product_category_audit", 2),
        Subject::Brand { .. } => ("open_product_brand_audit", 1),
    };
    body["audit_type"] = json!(audit_type);
    if audit_type == 1 {
        body["brand_id"] = json!(if status == 1 { brand_id } else { 0 });
    }
    submission.decision = Some(Decision { reject_reason, brand_id });
    world.tell(name, Map::from_iter([("QualificationAuditResult".to_owned(), body)]));
    true
}

/// As in `RAAAAHk3mB1CAAAA9d7e3A` of the documents.
const AUDIT_ID_LENGTH: usize = 22;
const MOST_SUBMISSIONS: usize = 10_000;
