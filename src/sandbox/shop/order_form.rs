//! An order as a merchant submits it, checked.

use serde_json::Value;

use super::{
    fields::{Fields, amount, at, number, objects, text},
    order::{Fund, Line},
};
use crate::{
    base::clock::{Clock as _, SystemClock},
    sandbox::{moment, refusal::Refusal, state::State},
};

/// What is read from the body; the rest stays in it.
#[derive(Debug)]
pub(in crate::sandbox) struct OrderForm {
    /// The merchant's id.
    pub(in crate::sandbox) out_order_id: String,
    /// Whose account the money goes to.
    pub(in crate::sandbox) fund: Fund,
    /// Goods.
    pub(in crate::sandbox) lines: Vec<Line>,
    /// What must be paid.
    pub(in crate::sandbox) price_fen: i64,
    /// Freight in it.
    pub(in crate::sandbox) freight_fen: i64,
    /// 1 to 4.
    pub(in crate::sandbox) delivery_type: i64,
    /// Days of after-sale.
    pub(in crate::sandbox) aftersale_days: Option<i64>,
}

/// Reads and checks `body`: ids, time, payment, sums, delivery, addresses, in this order.
pub(in crate::sandbox) fn read(
    body: &Fields,
    state: &State,
    now_ms: i64,
) -> Result<OrderForm, Refusal> {
    let usual = state.settings.component.argument_errcode;
    let bad = |field: &'static str| Refusal::with(usual, field);
    let out_order_id = text(body, "out_order_id").filter(|id| is_merchants_id(id));
    let out_order_id = out_order_id.ok_or_else(|| bad("out_order_id"))?.to_owned();
    check_time(body, state, now_ms)?;
    let fund = match number(body, "fund_type") {
        Some(0) => Fund::Own,
        Some(1) => Fund::Dedicated,
        _ => return Err(bad("fund_type is 0 or 1")),
    };
    check_payment(body, fund, state)?;
    let lines = lines(body, fund)?;
    let (price_fen, freight_fen) = check_sums(body, &lines)?;
    let delivery_type = amount(body, "delivery_detail.delivery_type").unwrap_or_default();
    if !(1..=4).contains(&delivery_type) {
        return Err(bad("delivery_detail.delivery_type is from 1 to 4"));
    }
    check_addresses(body, fund, delivery_type, state)?;
    let has_expiry = amount(body, "expire_time").is_some();
    if !has_expiry && fund == Fund::Dedicated && state.settings.component.require_expire_time {
        return Err(bad("expire_time"));
    }
    let aftersale_days = amount(body, "aftersale_duration").map(|days| days.min(MOST_DAYS));
    Ok(OrderForm {
        out_order_id,
        fund,
        lines,
        price_fen,
        freight_fen,
        delivery_type,
        aftersale_days,
    })
}

/// "Letters and digits, under 128 characters".
fn is_merchants_id(id: &str) -> bool {
    id.len() < 128 && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// 990018 for another form, or for a time too far from the platform's clock. Where that clock
/// was moved, the machine's is as good: the merchant has no other.
fn check_time(body: &Fields, state: &State, now_ms: i64) -> Result<(), Refusal> {
    let given = text(body, "create_time").and_then(moment::parse);
    let given = given.ok_or_else(|| Refusal::new(990_018))?;
    let Some(skew_s) = state.settings.component.create_time_skew_s else { return Ok(()) };
    let skew_ms = i64::from(skew_s) * 1000;
    // A second is the finest that the form tells.
    let is_near = |clock_ms: i64| (clock_ms / 1000 * 1000).abs_diff(given) as i64 <= skew_ms;
    if is_near(now_ms) || is_near(SystemClock.unix_ms()) {
        return Ok(());
    }
    let text =
        format_args!("create_time is more than {skew_s} s off, it is {}", moment::text(now_ms));
    Err(Refusal::with(990_018, text))
}

/// Own account and WeChat Pay: the prepay id belongs to the order. Dedicated account: the
/// platform makes it, so that one is not wanted.
fn check_payment(body: &Fields, fund: Fund, state: &State) -> Result<(), Refusal> {
    let wrong = |what: &'static str| Refusal::with(1_010_004, what);
    let prepay_id = text(body, "order_detail.pay_info.prepay_id");
    let method = number(body, "order_detail.pay_info.pay_method_type");
    match fund {
        Fund::Own => {
            let method = method.filter(|method| *method <= 2);
            let method = method.ok_or_else(|| wrong("order_detail.pay_info.pay_method_type"))?;
            let prepay_time = text(body, "order_detail.pay_info.prepay_time");
            if method == 0 && prepay_id.is_none() {
                return Err(wrong("order_detail.pay_info.prepay_id"));
            }
            if method == 0 && prepay_time.and_then(moment::parse).is_none() {
                return Err(wrong("order_detail.pay_info.prepay_time"));
            }
        }
        Fund::Dedicated => {
            if method.is_some_and(|method| method != 0) {
                return Err(wrong("order_detail.pay_info.pay_method_type is 0 with fund_type 1"));
            }
            if prepay_id.is_some() && state.settings.component.refuse_prepay_id {
                return Err(wrong("order_detail.pay_info.prepay_id with fund_type 1"));
            }
        }
    }
    Ok(())
}

/// What was paid for all pieces: `sku_real_price`, or, before the upgrade, `real_price` times
/// the count.
fn lines(body: &Fields, fund: Fund) -> Result<Vec<Line>, Refusal> {
    let wrong = |what: &'static str| Refusal::with(1_010_005, what);
    objects(body, "order_detail.product_infos")
        .map(|goods| {
            let count =
                number(goods, "product_cnt").filter(|count| (1..=MOST_PIECES).contains(count));
            let count = count.ok_or_else(|| wrong("order_detail.product_infos.product_cnt"))?;
            let of_all = amount(goods, "sku_real_price");
            let of_one = amount(goods, "real_price").filter(|_| fund == Fund::Own);
            let pieces = i64::try_from(count).unwrap_or(i64::MAX);
            let real_fen = of_all.or_else(|| of_one?.checked_mul(pieces));
            let real_fen = real_fen
                .ok_or_else(|| wrong("order_detail.product_infos.sku_real_price is missing"))?;
            let name = |field: &str| text(goods, field).unwrap_or_default().to_owned();
            Ok(Line {
                out_product_id: name("out_product_id"),
                out_sku_id: name("out_sku_id"),
                count,
                real_fen,
                sent: 0,
                refunded: 0,
                refunded_fen: 0,
            })
        })
        .collect()
}

/// Both documented sums must give the price of the order.
fn check_sums(body: &Fields, lines: &[Line]) -> Result<(i64, i64), Refusal> {
    let of =
        |name: &str| amount(body, &format!("order_detail.price_info.{name}")).unwrap_or_default();
    let price = i128::from(of("order_price"));
    let (freight, more) = (i128::from(of("freight")), i128::from(of("additional_price")));
    let goods: i128 = objects(body, "order_detail.product_infos")
        .map(|goods| {
            let factor = |name: &str| i128::from(amount(goods, name).unwrap_or_default());
            factor("sale_price") * factor("product_cnt")
        })
        .sum();
    let listed = goods + freight - i128::from(of("discounted_price")) + more;
    let real = lines.iter().map(|line| i128::from(line.real_fen)).sum::<i128>() + freight + more;
    for (sum, formula) in [(listed, BY_SALE_PRICE), (real, BY_REAL_PRICE)] {
        if sum != price {
            let text = format_args!("order_price {price} is not {sum} = {formula}");
            return Err(Refusal::with(1_010_005, text));
        }
    }
    Ok((of("order_price"), of("freight")))
}

/// The buyer's address unless nothing is delivered; the merchant's for returns unless it is
/// known already.
fn check_addresses(
    body: &Fields,
    fund: Fund,
    delivery_type: i64,
    state: &State,
) -> Result<(), Refusal> {
    if delivery_type != 2 {
        check_address(body, "address_info")?;
    }
    let is_known = state.shop.merchant.return_address().is_some();
    let is_given = at(body, "default_receiving_address").is_some();
    let is_needed =
        fund == Fund::Dedicated && state.settings.component.require_return_address && !is_known;
    if is_given || is_needed {
        check_address(body, "default_receiving_address")?;
    }
    Ok(())
}

fn check_address(body: &Fields, name: &str) -> Result<(), Refusal> {
    if !at(body, name).is_some_and(Value::is_object) {
        let is_nested = at(body, &format!("order_detail.{name}")).is_some();
        let hint = if is_nested { "; it stands in order_detail, not beside it" } else { "" };
        return Err(Refusal::with(1_010_009, format_args!("{name} is missing{hint}")));
    }
    for field in ["receiver_name", "detailed_address", "tel_number"] {
        if text(body, &format!("{name}.{field}")).is_none() {
            return Err(Refusal::with(1_010_009, format_args!("{name}.{field} is missing")));
        }
    }
    Ok(())
}

const BY_SALE_PRICE: &str =
    "sum(sale_price * product_cnt) + freight - discounted_price + additional_price";
const BY_REAL_PRICE: &str = "sum(sku_real_price) + freight + additional_price";
/// More than anybody orders; keeps products of prices within bounds.
const MOST_PIECES: u64 = 1_000_000;
const MOST_DAYS: i64 = 3650;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wechat::endpoint::endpoint;

    const NOW: &str = "2022-06-15 10:20:31";

    fn now_ms() -> i64 {
        moment::parse(NOW).unwrap()
    }

    fn body() -> Value {
        endpoint("/shop/order/add").unwrap().example_request.clone()
    }

    fn read_at(body: &Value, now_ms: i64) -> Result<OrderForm, Refusal> {
        read(body.as_object().unwrap(), &State::default(), now_ms)
    }

    fn errcode(change: impl Fn(&mut Value)) -> i64 {
        let mut body = body();
        change(&mut body);
        read_at(&body, now_ms()).map_or_else(|refusal| refusal.errcode, |_| 0)
    }

    #[test]
    fn the_documents_order_fits_within_five_seconds() {
        let form = read_at(&body(), now_ms()).unwrap();
        assert_eq!((form.price_fen, form.freight_fen), (25400, 800));
        assert_eq!((form.lines[0].count, form.lines[0].real_fen), (2, 24600));
        for (off_ms, is_good) in [(5999, true), (-5000, true), (6000, false), (-5001, false)] {
            assert_eq!(read_at(&body(), now_ms() + off_ms).is_ok(), is_good, "{off_ms}");
        }
    }

    #[test]
    fn sums_that_do_not_fit_are_shown() {
        let mut wrong = body();
        wrong["order_detail"]["price_info"]["order_price"] = json!(25401);
        let refusal = read_at(&wrong, now_ms()).unwrap_err();
        assert_eq!(refusal.errcode, 1_010_005);
        assert!(
            refusal.errmsg.contains("order_price 25401 is not 25400 = sum(sale_price"),
            "{refusal:?}"
        );
        let sku = |name: &'static str, value: Value| {
            errcode(move |body| body["order_detail"]["product_infos"][0][name] = value.clone())
        };
        assert_eq!(sku("sku_real_price", json!(24500)), 1_010_005);
        assert_eq!(sku("sku_real_price", json!(null)), 1_010_005);
        assert_eq!(sku("product_cnt", json!(0)), 1_010_005);
        assert_eq!(sku("product_cnt", json!(u64::MAX)), 1_010_005);
        assert_eq!(sku("sale_price", json!(i64::MAX)), 1_010_005);
    }

    #[test]
    fn what_depends_on_a_condition_is_asked_for() {
        assert_eq!(errcode(|body| body["fund_type"] = json!(2)), 40097);
        assert_eq!(errcode(|body| body["fund_type"] = json!(0)), 1_010_004);
        assert_eq!(errcode(|body| body["out_order_id"] = json!("SO-1")), 40097);
        assert_eq!(errcode(|body| body["create_time"] = json!("2022/06/15 10:20:31")), 990_018);
        assert_eq!(errcode(|body| body["delivery_detail"]["delivery_type"] = json!(5)), 40097);
        assert_eq!(errcode(|body| body["address_info"] = json!(null)), 1_010_009);
        assert_eq!(errcode(|body| body["address_info"]["tel_number"] = json!("")), 1_010_009);
        assert_eq!(errcode(|body| body["default_receiving_address"] = json!(null)), 1_010_009);
        let digital = |body: &mut Value| {
            body["delivery_detail"]["delivery_type"] = json!(2);
            body["address_info"] = json!(null);
        };
        assert_eq!(errcode(digital), 0);
        let mut nested = body();
        let address = nested.as_object_mut().unwrap().remove("address_info").unwrap();
        nested["order_detail"]["address_info"] = address;
        let refusal = read_at(&nested, now_ms()).unwrap_err();
        assert!(
            refusal.errmsg.ends_with("it stands in order_detail, not beside it"),
            "{refusal:?}"
        );
    }

    #[test]
    fn before_the_upgrade_the_price_of_a_piece_is_enough() {
        let mut body = body();
        body["fund_type"] = json!(0);
        body["order_detail"]["pay_info"] = json!({
            "pay_method_type": 0, "prepay_id": "wx1", "prepay_time": NOW,
        });
        body["order_detail"]["product_infos"][0]["sku_real_price"] = json!(null);
        body["order_detail"]["product_infos"][0]["real_price"] = json!(12300);
        let form = read_at(&body, now_ms()).unwrap();
        assert_eq!((form.fund, form.lines[0].real_fen), (Fund::Own, 24600));
    }
}
