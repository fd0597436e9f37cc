//! The cashier: a page where a person pays, cancels or lets time out an order.
//!
//! A link opens it, for a few minutes and one order; whoever has the link needs no key. It
//! stands for the client call `wx.requestOrderPayment`, which only runs inside WeChat.

mod links;
mod page;

use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use serde_json::{Value, json};

pub(super) use self::links::Links;
use self::page::{Notice, Page};
use super::{
    account::Account,
    control_form,
    platform::Platform,
    query::Query,
    shop::{
        fields::Fields,
        order::{Fund, Order, OrderStatus},
        order_moves,
    },
    world::World,
};

/// The end of its path, behind the account's name.
pub(super) const REST: &str = "cashier";

/// `POST cashier` of control: a link for an order whose payment parameters were asked for. An
/// error says what is missing.
pub(super) fn open(platform: &Platform, account: &Account, body: &[u8]) -> Result<Value, String> {
    let fields: Fields = control_form::read(body)?;
    let state = account.state();
    let order = state.shop.orders.find(&fields).map_err(|_| {
        "there is no such order: name it by `order_id` or `out_order_id`".to_owned()
    })?;
    if order.fund != Fund::Dedicated {
        return Err("an order of fund_type 0 is paid outside and reported with /shop/order/pay \
                    (no link)"
            .to_owned());
    }
    if !order.is_price_fixed {
        return Err(
            "call /shop/order/getpaymentparams first: the cashier opens with its answer".to_owned()
        );
    }
    let order_id = order.order_id;
    drop(state);
    let name = &account.identity.name;
    let ticket = platform.cashier_links().add(name, order_id)?;
    Ok(json!({
        "url": format!("/-/sandbox/{name}/{REST}?ticket={ticket}"),
        "expires_in": links::LIFE.as_secs(),
    }))
}

/// The page of a link, and what its buttons do.
pub(super) fn answer(
    platform: &Platform,
    method: &Method,
    query: &str,
    languages: &str,
    body: &[u8],
) -> Response<Bytes> {
    let is_chinese = page::prefers_chinese(languages);
    let ticket = Query::parse(query).value("ticket").unwrap_or_default().to_owned();
    let opened = platform.cashier_links().find(&ticket);
    let account = opened.as_ref().and_then(|(name, _)| platform.account(name));
    let (Some(account), Some((_, order_id))) = (account, opened) else {
        return html(StatusCode::GONE, page::gone(is_chinese));
    };
    let notice = if method == Method::POST { act(&account, order_id, body) } else { Notice::None };
    let state = account.state_at(account.now_ms());
    match state.shop.orders.order(order_id) {
        Some(order) => {
            html(StatusCode::OK, Page { order, ticket: &ticket, is_chinese, notice }.render())
        }
        None => html(StatusCode::GONE, page::gone(is_chinese)),
    }
}

/// A button was pressed.
fn act(account: &Account, order_id: u64, body: &[u8]) -> Notice {
    let form = Query::parse(std::str::from_utf8(body).unwrap_or_default());
    let now_ms = account.now_ms();
    let state = &mut *account.state_at(now_ms);
    let mut world = World { account, state, now_ms };
    let done = match form.value("action") {
        Some("pay") => {
            let payment = order_moves::cashier_payment(&world);
            order_moves::pay(&mut world, order_id, payment)
        }
        Some("cancel") => order_moves::cancel(&mut world, order_id, OrderStatus::Cancelled),
        Some("timeout") => order_moves::cancel(&mut world, order_id, OrderStatus::Expired),
        _ => return Notice::None,
    };
    account.announce(world.state);
    match done {
        Ok(()) => Notice::Done,
        Err(_) => Notice::TooLate,
    }
}

/// Pages hold nothing but text and forms that lead back to them.
fn html(status: StatusCode, page: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(page));
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

impl Order {
    /// Names and prices of its goods, for a person to read.
    fn goods(&self) -> Vec<(String, u64, i64)> {
        let infos = self.form.get("order_detail").and_then(|detail| detail.get("product_infos"));
        let titles = infos.and_then(Value::as_array).into_iter().flatten();
        let titles = titles.map(|goods| goods.get("title").and_then(Value::as_str).unwrap_or("?"));
        let lines = self.lines.iter().map(|line| (line.count, line.real_fen));
        titles.zip(lines).map(|(title, (count, fen))| (title.to_owned(), count, fen)).collect()
    }
}

const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::shop::testing::{Shop, event_names};

    fn link(shop: &Shop) -> String {
        let (status, link) = shop.bench.control("POST", "cashier", r#"{"out_order_id":"SO1"}"#);
        assert_eq!(status, 200, "{link}");
        let url = link["url"].as_str().unwrap();
        url.split_once('?').unwrap().1.to_owned()
    }

    fn page(shop: &Shop, method: &Method, query: &str, body: &str) -> (u16, String) {
        let answer = answer(&shop.bench.platform, method, query, "en", body.as_bytes());
        (answer.status().as_u16(), String::from_utf8(answer.body().to_vec()).unwrap())
    }

    #[test]
    fn a_person_pays_an_order_once() {
        let shop = Shop::new();
        shop.order("SO1", 1);
        let (status, early) = shop.bench.control("POST", "cashier", r#"{"out_order_id":"SO1"}"#);
        assert!(status == 409 && early["message"].as_str().unwrap().contains("getpaymentparams"));
        shop.call("/shop/order/getpaymentparams", "SO1", json!({}));
        let query = link(&shop);
        let (status, text) = page(&shop, &Method::GET, &query, "");
        assert_eq!(status, 200);
        assert!(text.contains("254.00") && text.contains("明前龙井绿茶"), "{text}");
        let (_, text) = page(&shop, &Method::POST, &query, "action=pay");
        assert!(text.contains("Paid") && !text.contains("value=\"pay\""), "{text}");
        assert_eq!(shop.status("SO1"), 20);
        let (_, text) = page(&shop, &Method::POST, &query, "action=cancel");
        assert!(text.contains("nothing was done"), "{text}");
        assert_eq!(event_names(&shop.bench), ["open_product_order_pay"]);
    }

    #[test]
    fn an_order_is_cancelled_or_times_out() {
        for (action, status) in [("cancel", 250), ("timeout", 181)] {
            let shop = Shop::new();
            shop.order("SO1", 1);
            shop.call("/shop/order/getpaymentparams", "SO1", json!({}));
            let query = link(&shop);
            page(&shop, &Method::POST, &query, &format!("action={action}"));
            assert_eq!(shop.status("SO1"), status);
        }
    }

    #[test]
    fn a_link_that_is_not_known_opens_nothing() {
        let shop = Shop::new();
        for query in ["", "ticket=", "ticket=abc"] {
            let (status, text) = page(&shop, &Method::GET, query, "");
            assert!(status == 410 && text.contains("ctl cashier"), "{text}");
        }
        let (status, _) = shop.bench.control("POST", "cashier", r#"{"out_order_id":"SO9"}"#);
        assert_eq!(status, 409);
    }

    #[test]
    fn what_a_merchant_wrote_is_text_and_never_markup() {
        let shop = Shop::new();
        let mut body = crate::sandbox::shop::testing::order(&shop.bench, "SO1", 1);
        body["order_detail"]["product_infos"][0]["title"] = json!("<script>alert(1)</script>\"'&");
        shop.bench.post("/shop/order/add", &body);
        shop.call("/shop/order/getpaymentparams", "SO1", json!({}));
        let (_, text) = page(&shop, &Method::GET, &link(&shop), "");
        assert!(!text.contains("<script") && text.contains("&lt;script&gt;alert(1)"), "{text}");
    }
}
