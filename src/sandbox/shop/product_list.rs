//! Products listed page by page.

use serde_json::{Value, json};

use super::{
    fields::{amount, page, text},
    product::Product,
};
use crate::sandbox::{call::Answer, dispatch::Cx, moment, refusal::Refusal};

/// Filtered by state and by one range of times; where both ranges are given, that of the
/// creation wins.
pub(super) fn list(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let body = cx.body();
    let (first, size) = page(body, MOST_ON_A_PAGE, 9_401_020)?;
    let created = range(cx, "create_time")?;
    let updated = range(cx, "update_time")?;
    let status = amount(body, "status");
    let is_draft = amount(body, "need_edit_spu") == Some(1);
    let state = &mut *cx.state();
    let is_wanted = |product: &&Product| {
        let in_range = match (created, updated) {
            (Some((from, until)), _) => (from..=until).contains(&product.created_ms()),
            (None, Some((from, until))) => (from..=until).contains(&product.updated_ms()),
            (None, None) => true,
        };
        in_range && status.is_none_or(|wanted| product.status() as i64 == wanted)
    };
    let all = state.shop.products.all(cx.now_ms);
    let found: Vec<&Product> = all.into_iter().filter(is_wanted).collect();
    let views = found.iter().skip(first).take(size).map(|product| product.view(is_draft));
    let spus: Vec<Value> = views.filter_map(|view| serde_json::to_value(view).ok()).collect();
    Ok(cx.done(json!({ "total_num": found.len(), "spus": spus })))
}

/// `start_…` and `end_…` together; one alone is a mistake.
fn range(cx: &Cx<'_>, name: &str) -> Result<Option<(i64, i64)>, Refusal> {
    let time = |end: &str| {
        let field = format!("{end}_{name}");
        let Some(given) = text(cx.body(), &field) else { return Ok(None) };
        moment::parse(given).map(Some).ok_or_else(|| Refusal::with(9_401_020, field))
    };
    match (time("start")?, time("end")?) {
        (Some(from), Some(until)) => Ok(Some((from, until.saturating_add(999)))),
        (None, None) => Ok(None),
        (Some(_), None) | (None, Some(_)) => {
            Err(Refusal::with(9_401_020, format_args!("start_{name} and end_{name} go together")))
        }
    }
}

const MOST_ON_A_PAGE: usize = 100;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::sandbox::calls::bench::{Bench, product};

    #[test]
    fn products_come_page_by_page_in_the_order_of_their_creation() {
        let bench = Bench::new();
        for id in ["C", "A", "B"] {
            bench.post("/shop/spu/add", &product(id));
            bench.control("POST", "clock", r#"{"advance_s":10}"#);
        }
        let ask = |more: Value| {
            let mut body = json!({"page": 1, "page_size": 2});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            bench.post("/shop/spu/get_list", &body)
        };
        let ids = |more: Value| {
            let answer = ask(more).json();
            let spus = answer["spus"].as_array().unwrap();
            let ids = spus.iter().map(|spu| spu["out_product_id"].as_str().unwrap());
            (answer["total_num"].as_u64().unwrap(), ids.collect::<String>())
        };
        assert_eq!(ids(json!({})), (3, "CA".into()));
        assert_eq!(ids(json!({"page": 2})), (3, "B".into()));
        assert_eq!(ids(json!({"page": 9})), (3, String::new()));
        assert_eq!(ids(json!({"status": 5})), (0, String::new()));
        bench.control("POST", "clock", r#"{"advance_s":35}"#);
        assert_eq!(ids(json!({"status": 5})), (1, "C".into()));
        let far = json!({"start_create_time": "2000-01-01 00:00:00", "end_create_time": "2000-01-02 00:00:00"});
        assert_eq!(ids(far), (0, String::new()));
        for wrong in [
            json!({"page": 0}),
            json!({"page_size": 101}),
            json!({"start_create_time": "2000-01-01 00:00:00"}),
            json!({"start_update_time": "x", "end_update_time": "2000-01-01 00:00:00"}),
        ] {
            assert_eq!(ask(wrong.clone()).errcode, Some(9_401_020), "{wrong}");
        }
    }
}
