//! A shop for tests: the documents' order and the shortest ways to move it.

use serde_json::{Value, json};

use crate::{
    sandbox::{
        calls::bench::{Bench, Seen},
        events::EventLog,
        moment,
        shop::{fields::Fields, fire, order_moves},
        world::World,
    },
    wechat::endpoint::endpoint,
};

/// What [`Shop::fire`] says of an event that is about nothing here.
pub(in crate::sandbox) const MESSAGE_ALONE: &str = "a message alone";

/// Account `shop` of a bench.
pub(in crate::sandbox) struct Shop {
    pub(in crate::sandbox) bench: Bench,
}

/// The documents' order under another id, made now and good for a quarter of an hour.
pub(in crate::sandbox) fn order(bench: &Bench, out_order_id: &str, fund_type: u8) -> Value {
    let now_ms = bench.platform.account("shop").unwrap().now_ms();
    let mut body = endpoint("/shop/order/add").unwrap().example_request.clone();
    body["create_time"] = json!(moment::text(now_ms));
    body["out_order_id"] = json!(out_order_id);
    body["expire_time"] = json!(now_ms / 1000 + 900);
    body["fund_type"] = json!(fund_type);
    if fund_type == 0 {
        body["order_detail"]["pay_info"] = json!({
            "pay_method_type": 0, "prepay_id": "wx1", "prepay_time": moment::text(now_ms),
        });
    }
    body
}

/// The documents' example of a request.
pub(in crate::sandbox) fn example(path: &str) -> Value {
    endpoint(path).unwrap().example_request.clone()
}

/// The names of all events, oldest first.
pub(in crate::sandbox) fn event_names(bench: &Bench) -> Vec<String> {
    let told = bench.control("GET", "events", "").1;
    let events = told["events"].as_array().unwrap();
    events.iter().map(|event| event["event"].as_str().unwrap().to_owned()).collect()
}

impl Shop {
    pub(in crate::sandbox) fn new() -> Self {
        let bench = Bench::new();
        bench.post("/shop/register/apply", &json!({}));
        let account = bench.platform.account("shop").unwrap();
        account.state().events = EventLog::default();
        Self { bench }
    }

    /// Makes an order; what is answered.
    pub(in crate::sandbox) fn order(&self, out_order_id: &str, fund_type: u8) -> Value {
        let body = order(&self.bench, out_order_id, fund_type);
        let answer = self.bench.post("/shop/order/add", &body).json();
        assert_eq!(answer["errcode"], 0, "{answer}");
        answer["data"].clone()
    }

    /// A call about an order of the documents' buyer.
    #[expect(clippy::needless_pass_by_value, reason = "it is made for the call")]
    pub(in crate::sandbox) fn call(&self, path: &str, out_order_id: &str, more: Value) -> Seen {
        let openid = &order(&self.bench, "SO", 1)["openid"];
        let mut body = json!({"out_order_id": out_order_id, "openid": openid});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.bench.post(path, &body)
    }

    /// The order as it is shown.
    pub(in crate::sandbox) fn shown(&self, out_order_id: &str) -> Value {
        self.call("/shop/order/get", out_order_id, json!({})).json()["order"].clone()
    }

    /// Its state.
    pub(in crate::sandbox) fn status(&self, out_order_id: &str) -> u64 {
        self.shown(out_order_id)["status"].as_u64().unwrap()
    }

    /// The buyer pays.
    pub(in crate::sandbox) fn pay(&self, out_order_id: &str) {
        self.at_work(|world| {
            let orders = &world.state.shop.orders;
            let order_id = orders.by_out_order_id(out_order_id).unwrap().order_id;
            let payment = order_moves::cashier_payment(world);
            order_moves::pay(world, order_id, payment).unwrap();
        });
    }

    /// A parcel with so many pieces of the documents' product.
    pub(in crate::sandbox) fn send(
        &self,
        out_order_id: &str,
        product_cnt: u64,
        finish_all_delivery: u8,
    ) -> Option<i64> {
        let goods = json!({
            "out_product_id": "TEA-2201", "out_sku_id": "TEA-2201-250G",
            "product_cnt": product_cnt,
        });
        let parcel = json!({
            "delivery_id": "SF", "waybill_id": "SF1", "product_info_list": [goods],
        });
        let more = json!({
            "finish_all_delivery": finish_all_delivery, "delivery_list": [parcel],
        });
        self.call("/shop/delivery/send", out_order_id, more).errcode
    }

    /// An order of the dedicated account that was paid and received.
    pub(in crate::sandbox) fn received(&self, out_order_id: &str) {
        self.order(out_order_id, 1);
        self.pay(out_order_id);
        assert_eq!(self.send(out_order_id, 2, 1), Some(0));
        let received = self.call("/shop/delivery/recieve", out_order_id, json!({}));
        assert_eq!(received.errcode, Some(0));
    }

    /// The documents' after-sale of an order: one of two pieces goes back.
    pub(in crate::sandbox) fn aftersale(&self, out_order_id: &str, more: &Value) -> Seen {
        let mut form = example("/shop/ecaftersale/add");
        let fields = form.as_object_mut().unwrap();
        fields.remove("order_id");
        fields.remove("out_order_id");
        fields.extend(more.as_object().unwrap().clone());
        self.call("/shop/ecaftersale/add", out_order_id, form)
    }

    /// A call about an after-sale of the documents' buyer.
    pub(in crate::sandbox) fn about(&self, verb: &str, out_id: &str, more: &Value) -> Seen {
        let openid = &example("/shop/order/add")["openid"];
        let mut body = json!({"out_aftersale_id": out_id, "openid": openid});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.bench.post(&format!("/shop/ecaftersale/{verb}"), &body)
    }

    /// The state of an after-sale.
    pub(in crate::sandbox) fn aftersale_status(&self, out_id: &str) -> u64 {
        let answer = self.about("get", out_id, &json!({})).json();
        answer["after_sales_order"]["status"].as_u64().unwrap()
    }

    /// Time goes by.
    pub(in crate::sandbox) fn advance(&self, seconds: u64) {
        let body = json!({ "advance_s": seconds }).to_string();
        assert_eq!(self.bench.control("POST", "clock", &body).0, 200);
    }

    /// The account at work, outside of any call.
    pub(in crate::sandbox) fn at_work<T>(&self, work: impl FnOnce(&mut World<'_>) -> T) -> T {
        let account = self.bench.platform.account("shop").unwrap();
        let now_ms = account.now_ms();
        drop(account.state_at(now_ms));
        let state = &mut *account.state();
        work(&mut World { account: &account, state, now_ms })
    }

    /// Fires an event; what it says beside the envelope, or why nothing happened.
    pub(in crate::sandbox) fn fire(&self, event: &str, set: &Value) -> Result<Fields, String> {
        let happened = self.at_work(|world| fire::happen(world, event, set.as_object().unwrap()));
        happened.unwrap_or_else(|| Err(MESSAGE_ALONE.to_owned()))
    }

    /// The flags of the access process.
    pub(in crate::sandbox) fn flags(&self) -> Value {
        self.bench.post("/shop/register/check", &json!({})).json()["data"]["access_info"].clone()
    }
}
