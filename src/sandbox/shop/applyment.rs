//! The application for the dedicated merchant account.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    demand,
    fields::{Fields, at, text},
    shop_due::ShopDue,
};
use crate::sandbox::{
    account::Account, due::Due, ids::derived_text, refusal::Refusal, settings::Settings,
    world::World,
};

/// The latest application, and the account that came of it.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sandbox) struct Applyment {
    filed: Option<Filed>,
    /// The merchant account, once it was opened.
    mchid: Option<String>,
}

/// What was filed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Filed {
    /// The platform's number of it.
    pub(in crate::sandbox) applyment_id: u64,
    out_request_no: String,
    request: Fields,
    stage: FiledStage,
}

/// How far an application has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum FiledStage {
    /// It is looked at.
    Waiting,
    /// The account is open.
    Finished,
    /// Why it was rejected.
    Rejected(String),
}

impl Applyment {
    /// The merchant account, once it was opened.
    pub(in crate::sandbox) fn mchid(&self) -> Option<&str> {
        self.mchid.as_deref()
    }

    /// The latest application.
    pub(in crate::sandbox) fn filed(&self) -> Option<&Filed> {
        self.filed.as_ref()
    }
}

impl Account {
    /// The number that the dedicated merchant account of the app has, or will have.
    pub(in crate::sandbox) fn mchid(&self) -> String {
        let seed = format!("merchant account of {}", self.identity.app_id);
        let digits = derived_text(seed.as_bytes(), 8);
        let digits = digits.bytes().map(|byte| char::from(b'0' + byte % 10));
        format!("16{}", digits.collect::<String>())
    }
}

/// Files an application: not while one waits, nor when the account is open.
pub(in crate::sandbox) fn file(world: &mut World<'_>, request: Fields) -> Result<(), Refusal> {
    let settings = &world.state.settings;
    match world.state.shop.applyment.filed.as_ref().map(|filed| &filed.stage) {
        Some(FiledStage::Waiting) => return Err(demand::wrong(settings, "an application waits")),
        Some(FiledStage::Finished) => return Err(demand::wrong(settings, "the account is open")),
        Some(FiledStage::Rejected(_)) | None => {}
    }
    let applyment_id = world.number(16);
    let filed = Filed {
        applyment_id,
        out_request_no: format!("APPLY{applyment_id}"),
        request,
        stage: FiledStage::Waiting,
    };
    let delay_ms = i64::from(settings.component.audit_delay_s) * 1000;
    world.state.shop.applyment.filed = Some(filed);
    world.later(delay_ms, Due::Shop(ShopDue::Applyment { applyment_id }));
    Ok(())
}

/// Decides as the switch says, unless the application was decided already.
pub(in crate::sandbox) fn decide_due(world: &mut World<'_>, applyment_id: u64) {
    let filed = world.state.shop.applyment.filed.as_ref();
    if filed.is_some_and(|filed| filed.applyment_id == applyment_id) {
        let reason = world.state.settings.component.audit_reject_reason.clone();
        decide(world, reason);
    }
}

/// Opens the account, or rejects the application; false if none waits. The platform tells
/// nothing of it.
pub(in crate::sandbox) fn decide(world: &mut World<'_>, reject_reason: Option<String>) -> bool {
    let filed = world.state.shop.applyment.filed.as_mut();
    let Some(filed) = filed.filter(|filed| filed.stage == FiledStage::Waiting) else {
        return false;
    };
    match reject_reason {
        Some(reason) => filed.stage = FiledStage::Rejected(reason),
        None => {
            filed.stage = FiledStage::Finished;
            world.state.shop.applyment.mchid = Some(world.account.mchid());
            world.state.shop.access.open_merchant_account();
        }
    }
    true
}

impl Filed {
    /// What was filed, with what the platform knows by itself.
    pub(in crate::sandbox) fn request_json(&self, app_id: &str, settings: &Settings) -> Value {
        let owner = &settings.shop.merchant;
        let given = |place: &str| text(&self.request, place).unwrap_or_default();
        let kind = at(&self.request, "organization_type").map(Value::to_string);
        let short = text(&self.request, "merchant_shortname").unwrap_or(&owner.store_name);
        let copy = |place: &str| picture(&self.request, place);
        json!({
            "out_request_no": self.out_request_no,
            "organization_type": kind,
            "merchant_shortname": short,
            "need_account_info": true,
            "business_license_info": {
                "legal_person": given("business_license_info.legal_person"),
                "merchant_name": owner.merchant_name,
                "business_license_number": owner.business_license_number,
                "business_license_copy": copy("business_license_info.wxa_business_license_copy"),
            },
            "contact_info": {
                "contact_type": given("contact_info.contact_type"),
                "contact_name": owner.contact_name,
                "contact_id_card_number": owner.contact_id_card_number,
                "contact_email": given("contact_info.contact_email"),
                "mobile_phone": given("contact_info.mobile_phone"),
            },
            "sales_scene_info": {
                "store_name": owner.store_name,
                "mini_program_sub_appid": app_id,
            },
            "id_doc_type": given("id_doc_type"),
            "id_card_info": {
                "id_card_name": given("id_card_info.id_card_name"),
                "id_card_number": given("id_card_info.id_card_number"),
                "id_card_valid_time": given("id_card_info.id_card_valid_time"),
                "id_card_copy": copy("id_card_info.wxa_id_card_copy"),
                "id_card_national": copy("id_card_info.wxa_id_card_national"),
            },
            "id_doc_info": {
                "id_doc_name": given("id_doc_info.id_doc_name"),
                "id_doc_number": given("id_doc_info.id_doc_number"),
                "doc_period_end": given("id_doc_info.doc_period_end"),
                "id_doc_copy": copy("id_doc_info.wxa_id_doc_copy"),
            },
        })
    }

    /// How far it has come. The signature comes with the account, and links to sign or to
    /// validate are never needed here.
    pub(in crate::sandbox) fn state_json(&self, mchid: Option<&str>, settings: &Settings) -> Value {
        let words = &settings.shop;
        let (state, text, reason) = match &self.stage {
            FiledStage::Waiting => (words.applyment_waiting_state.as_str(), "审核中", None),
            FiledStage::Finished => ("FINISH", "完成", None),
            FiledStage::Rejected(reason) => {
                (words.applyment_rejected_state.as_str(), "已驳回", Some(reason))
            }
        };
        let details: Vec<Value> = reason
            .map(|reason| json!({ "param_name": "", "reject_reason": reason }))
            .into_iter()
            .collect();
        json!({
            "out_request_no": self.out_request_no,
            "applyment_id": self.applyment_id,
            "applyment_state": state,
            "applyment_state_desc": text,
            "sub_mchid": mchid,
            "sign_state": if mchid.is_some() { "SIGNED" } else { "" },
            "account_validation": Map::new(),
            "audit_detail": details,
        })
    }
}

/// An image as it is shown: the id that WeChat Pay knows it by, else the platform's.
fn picture<'a>(request: &'a Fields, place: &str) -> &'a str {
    let id = |name: &str| text(request, &format!("{place}.{name}"));
    id("pay_media_id").or_else(|| id("media_id")).unwrap_or_default()
}
