//! The delivery companies.

use serde_json::{Value, json};

use crate::sandbox::{call::Answer, dispatch::Cx, refusal::Refusal};

/// Whether parcels can be sent with it.
pub(in crate::sandbox) fn is_known(delivery_id: &str) -> bool {
    COMPANIES.iter().any(|(id, _)| *id == delivery_id)
}

/// All of them, at the top level of the answer.
pub(in crate::sandbox) fn list(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let companies: Vec<Value> = COMPANIES
        .iter()
        .map(|(id, name)| json!({ "delivery_id": id, "delivery_name": name }))
        .collect();
    Ok(cx.done(json!({ "company_list": companies })))
}

/// A choice; `OTHERS` stands for all that are not listed.
const COMPANIES: &[(&str, &str)] = &[
    ("SF", "顺丰速运"),
    ("ZTO", "中通快递"),
    ("YTO", "圆通速递"),
    ("STO", "申通快递"),
    ("YUNDA", "韵达速递"),
    ("JD", "京东物流"),
    ("EMS", "邮政EMS"),
    ("YZPY", "邮政快递包裹"),
    ("JTSD", "极兔速递"),
    ("DBL", "德邦快递"),
    ("OTHERS", "其他"),
];
