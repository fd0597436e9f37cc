//! A platform with one account, and the shortest ways to call it.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, header};
use serde_json::{Value, json};

use crate::base::kind::AccountKind;
use crate::sandbox::{Answer, Call, Platform, Reply, SandboxAccount, control};

/// Account `shop`, AppID `wx1`, secret `s1`, always the same seed.
pub(in crate::sandbox) struct Bench {
    pub(in crate::sandbox) platform: Platform,
}

/// An answer with an easier body.
pub(in crate::sandbox) struct Seen {
    pub(in crate::sandbox) errcode: Option<i64>,
    pub(in crate::sandbox) content_type: &'static str,
    pub(in crate::sandbox) disposition: Option<String>,
    pub(in crate::sandbox) extra: Option<(&'static str, String)>,
    pub(in crate::sandbox) body: Bytes,
}

impl Seen {
    pub(in crate::sandbox) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

impl From<Answer> for Seen {
    fn from(answer: Answer) -> Self {
        let Answer { content_type, disposition, extra, body, errcode, .. } = answer;
        Self { errcode, content_type, disposition, extra, body }
    }
}

impl Bench {
    pub(in crate::sandbox) fn new() -> Self {
        Self::seeded(Some(1))
    }

    pub(in crate::sandbox) fn unseeded() -> Self {
        Self::seeded(None)
    }

    pub(in crate::sandbox) fn seeded(seed: Option<u64>) -> Self {
        let platform = Platform::new(seed, Duration::from_secs(7200));
        platform.add_account(account("shop", "wx1", "s1")).unwrap();
        Self { platform }
    }

    /// The same, its only account of another kind.
    pub(in crate::sandbox) fn of_kind(kind: AccountKind) -> Self {
        let platform = Platform::new(Some(1), Duration::from_secs(7200));
        platform.add_account(SandboxAccount { kind, ..account("shop", "wx1", "s1") }).unwrap();
        Self { platform }
    }

    pub(in crate::sandbox) fn reply(&self, method: Method, path: &str, query: &str) -> Reply {
        self.platform.handle(&call(method, path, query, Bytes::new()))
    }

    pub(in crate::sandbox) fn get(&self, path: &str, query: &str) -> Seen {
        self.reply(Method::GET, path, query).answer.into()
    }

    pub(in crate::sandbox) fn get_with_token(&self, path: &str, query: &str) -> Seen {
        self.get(path, &format!("access_token={}&{query}", self.token()))
    }

    pub(in crate::sandbox) fn post(&self, path: &str, body: &Value) -> Seen {
        self.post_text(path, &body.to_string())
    }

    pub(in crate::sandbox) fn post_text(&self, path: &str, body: &str) -> Seen {
        self.post_query(path, &format!("access_token={}", self.token()), body)
    }

    pub(in crate::sandbox) fn post_bare(&self, path: &str, body: &str) -> Seen {
        self.post_query(path, "", body)
    }

    pub(in crate::sandbox) fn post_query(&self, path: &str, query: &str, body: &str) -> Seen {
        let call = call(Method::POST, path, query, Bytes::copy_from_slice(body.as_bytes()));
        self.platform.handle(&call).answer.into()
    }

    pub(in crate::sandbox) fn upload(&self, path: &str, query: &str, body: Vec<u8>) -> Seen {
        let query = format!("access_token={}&{query}", self.token());
        let mut call = call(Method::POST, path, &query, body.into());
        let form = HeaderValue::from_static("multipart/form-data; boundary=XX");
        call.headers.insert(header::CONTENT_TYPE, form);
        self.platform.handle(&call).answer.into()
    }

    /// A token, got without a trace in counters, quotas or journal.
    pub(in crate::sandbox) fn token(&self) -> String {
        let account = self.platform.account("shop").unwrap();
        let state = &mut *account.state();
        let now_ms = account.now_ms();
        state.ledger.grant_stable(&account.mint(), &state.settings, now_ms).access_token
    }

    pub(in crate::sandbox) fn fetch_stable(&self, is_forced: bool) -> Seen {
        let body = json!({
            "grant_type": "client_credential", "appid": "wx1", "secret": "s1",
            "force_refresh": is_forced,
        });
        self.post_bare("/cgi-bin/stable_token", &body.to_string())
    }

    pub(in crate::sandbox) fn stable_token(&self) -> String {
        self.fetch_stable(false).json()["access_token"].as_str().unwrap().to_owned()
    }

    pub(in crate::sandbox) fn control(&self, method: &str, rest: &str, body: &str) -> (u16, Value) {
        let method: Method = method.parse().unwrap();
        self.control_of("shop", &method, rest, body)
    }

    pub(in crate::sandbox) fn control_of(
        &self,
        name: &str,
        method: &Method,
        rest: &str,
        body: &str,
    ) -> (u16, Value) {
        let answer = control::answer(&self.platform, name, method, rest, body.as_bytes());
        (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap())
    }

    pub(in crate::sandbox) fn set(&self, switches: &Value) {
        let (status, answer) = self.control("POST", "state", &switches.to_string());
        assert_eq!(status, 200, "{answer}");
    }
}

pub(in crate::sandbox) fn account(name: &str, app_id: &str, app_secret: &str) -> SandboxAccount {
    SandboxAccount {
        name: name.to_owned(),
        kind: AccountKind::MiniProgram,
        app_id: app_id.to_owned(),
        app_secret: app_secret.to_owned(),
    }
}

pub(in crate::sandbox) fn call(method: Method, path: &str, query: &str, body: Bytes) -> Call {
    Call {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers: HeaderMap::new(),
        body,
        peer: "127.0.0.1".parse().unwrap(),
    }
}

/// A multipart form with the boundary `XX`: name, file name, content.
pub(in crate::sandbox) fn form(parts: &[(&str, Option<&str>, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file_name, content) in parts {
        body.extend_from_slice(b"--XX\r\nContent-Disposition: form-data; name=\"");
        body.extend_from_slice(name.as_bytes());
        if let Some(file_name) = file_name {
            body.extend_from_slice(b"\"; filename=\"");
            body.extend_from_slice(file_name.as_bytes());
        }
        body.extend_from_slice(b"\"\r\n\r\n");
        body.extend_from_slice(content);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--XX--\r\n");
    body
}

/// The documents' example of a product, under another id.
pub(in crate::sandbox) fn product(out_product_id: &str) -> Value {
    let image = "https://mmecimage.cn/p/wx8a1f0c2b7d3e4f56/HKd82nQe7sVbYpT0r5LmZxC4aJg";
    json!({
        "out_product_id": out_product_id,
        "title": "明前龙井绿茶 250克 罐装",
        "path": "pages/goods/detail?gid=TEA-2201",
        "head_img": [image],
        "qualification_pics": [],
        "desc_info": { "desc": "当年春茶，密封罐装。", "imgs": [image] },
        "third_cat_id": 7523,
        "brand_id": 2_100_348,
        "info_version": "1",
        "scene_group_list": [],
        "skus": [{
            "out_product_id": out_product_id,
            "out_sku_id": "TEA-2201-250G",
            "thumb_img": image,
            "sale_price": 12800,
            "market_price": 15800,
            "stock_num": 200,
            "sku_attrs": [{ "attr_key": "规格", "attr_value": "250克" }],
        }],
    })
}
