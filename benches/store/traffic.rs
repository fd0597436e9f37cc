//! Exchanges as a busy gateway hands them to its recorder.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{CONTENT_LENGTH, DATE},
};
use wxgate::{
    base::{
        clock::{Clock as _, SystemClock, from_unix_ms, unix_ms},
        code::ErrorCode,
        id::RequestId,
        name::Name,
        outcome::Outcome as Result,
        permission::Lane,
        secret::{Fingerprint, Secret},
    },
    capture::{Attempt, Captured, Exchange, Message, Phases},
};

use super::{
    Outcome,
    product::{Product, Random},
};

/// Makes one exchange after another; the same ones in every run.
pub(crate) struct Traffic {
    products: Vec<Product>,
    accounts: Vec<(Name, Fingerprint)>,
    callers: Vec<Name>,
    request_headers: HeaderMap,
    answer_headers: HeaderMap,
    upstream: Arc<str>,
    times: Times,
    random: Random,
    made: u64,
}

/// When the requests came.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Times {
    /// As they are made.
    Now,
    /// So many exchanges over the last [`SPREAD`], as in a file that has been used for a while.
    Spread {
        /// Milliseconds since 1970.
        from_ms: i64,
        exchanges: u64,
    },
}

impl Times {
    /// Up to the present moment.
    pub(crate) fn spread(exchanges: u64) -> Self {
        Self::Spread { from_ms: unix_ms(SystemClock.now() - SPREAD), exchanges }
    }

    fn at(self, nth: u64) -> SystemTime {
        match self {
            Self::Now => SystemClock.now(),
            Self::Spread { from_ms, exchanges } => {
                let share = nth as f64 / exchanges.max(1) as f64;
                from_unix_ms(from_ms) + SPREAD.mul_f64(share)
            }
        }
    }
}

impl Traffic {
    /// Nothing was made yet.
    pub(crate) fn new(times: Times) -> Outcome<Self> {
        let mut random = Random::new();
        let named = |prefix: &'static str| move |nth: u32| format!("{prefix}-{nth}").parse();
        let tokens = (1..=ACCOUNTS).map(|nth| token(nth).fingerprint());
        let accounts: std::result::Result<Vec<Name>, _> =
            (1..=ACCOUNTS).map(named("shop")).collect();
        Ok(Self {
            products: (0..PRODUCTS).map(|nth| Product::new(&mut random, nth)).collect(),
            accounts: accounts?.into_iter().zip(tokens).collect(),
            callers: (1..=CALLERS).map(named("dev")).collect::<std::result::Result<_, _>>()?,
            request_headers: headers(REQUEST_HEADERS),
            answer_headers: headers(ANSWER_HEADERS),
            upstream: "https://api.weixin.qq.com".into(),
            times,
            random,
            made: 0,
        })
    }

    /// How many were made.
    pub(crate) fn made(&self) -> u64 {
        self.made
    }

    /// The next one.
    pub(crate) fn next(&mut self) -> Exchange {
        let (nth, dice) = (self.made, self.random.next());
        self.made += 1;
        let time = self.times.at(nth);
        let [one, other] = [dice, dice >> 8].map(|dice| dice as usize % PATHS.len());
        let path = PATHS[one.min(other)];
        let client = IpAddr::V4(Ipv4Addr::new(10, 8, (dice >> 16) as u8 & 15, (dice >> 24) as u8));
        let id = id_at(time, self.random.next());
        let mut exchange =
            Exchange::new(id, time, client, Method::POST, path.0.to_owned(), String::new());
        let (account, token) = &self.accounts[(dice >> 32) as usize % self.accounts.len()];
        exchange.account = Some(account.clone());
        exchange.key = Some(self.callers[(dice >> 40) as usize % self.callers.len()].clone());
        exchange.lane = Some(Lane::Live);
        exchange.call = Some(path.1);
        let micros = 20_000 + dice % 60_000 + if nth % 5000 == 77 { 2_500_000 } else { 0 };
        exchange.duration = Duration::from_micros(micros);
        let [request, answer] = self.products[nth as usize % PRODUCTS].bodies(product_id(nth));
        exchange.request = message(&self.request_headers, &request);
        let postman = HeaderName::from_static("postman-token");
        let value = format!("{:016x}-{dice:016x}", self.random.next());
        set(&mut exchange.request.headers, postman, &value);
        end(&mut exchange, nth, answer, &self.answer_headers);
        exchange.attempts = vec![attempt(&exchange, self.upstream.clone(), *token)];
        exchange
    }
}

/// The answer: mostly good, sometimes one of the usual refusals.
fn end(exchange: &mut Exchange, nth: u64, answer: Bytes, headers: &HeaderMap) {
    let (status, errcode, outcome) = match nth % 10_000 {
        8 if nth % 200_000 == 8 => (200, RARE_ERRCODE, Result::Business),
        4 | 2004 | 4004 | 6004 | 8004 => (504, -95_040, Result::Network),
        rest if rest % 1000 == 1 => (200, 45_009, Result::Quota),
        rest if rest % 1000 == 2 => (200, 48_001, Result::Access),
        rest if rest % 200 == 3 => (200, 9_401_020, Result::Business),
        _ => (200, 0, Result::Ok),
    };
    let body = match errcode {
        0 => answer,
        errcode => {
            let rid = format!("{nth:08x}-{:08x}-{:08x}", nth * 7919, nth * 104_729);
            let body = format!("{{\"errcode\":{errcode},\"errmsg\":\"refused rid: {rid}\"}}");
            exchange.errmsg = Some(format!("refused rid: {rid}"));
            exchange.rid = Some(rid);
            body.into()
        }
    };
    if status == 504 {
        exchange.error = Some(ErrorCode::UpstreamTimeout);
    }
    if errcode == 0 {
        exchange.errmsg = Some("ok".to_owned());
    }
    (exchange.status, exchange.errcode) = (Some(status), Some(errcode));
    exchange.outcome = outcome;
    exchange.response = message(headers, &body);
    let seconds = nth / 10_000;
    let date = format!("Mon, 30 Nov 2026 08:{:02}:{:02} GMT", seconds / 60 % 60, seconds % 60);
    set(&mut exchange.response.headers, DATE, &date);
    let id = exchange.id.to_string();
    set(&mut exchange.response.headers, HeaderName::from_static("x-request-id"), &id);
}

fn attempt(exchange: &Exchange, upstream: Arc<str>, token: Fingerprint) -> Attempt {
    let total = exchange.duration - Duration::from_micros(700);
    Attempt {
        upstream,
        token: Some(token),
        status: exchange.status,
        errcode: exchange.errcode,
        reused: true,
        ms: Phases {
            queue: Duration::from_micros(3),
            first_byte: Some(total - Duration::from_micros(90)),
            total,
            ..Phases::default()
        },
        error: exchange.error.map(|_| "no answer within the time limit".to_owned()),
    }
}

fn message(headers: &HeaderMap, body: &Bytes) -> Message {
    let mut message = Message { headers: headers.clone(), body: Captured::of(body, body.len()) };
    message.headers.insert(CONTENT_LENGTH, body.len().into());
    message
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    // Made of digits and letters, so it is always a value.
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &'static str)| {
        (HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    pairs.iter().map(pair).collect()
}

/// A `UUIDv7` of that time, which is not always the present one.
fn id_at(time: SystemTime, random: u64) -> RequestId {
    let ms = unix_ms(time).unsigned_abs();
    let front = ms << 16 | 7 << 12 | random >> 52;
    let back = 2 << 62 | random.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 2;
    RequestId::from_bytes((u128::from(front) << 64 | u128::from(back)).to_be_bytes())
}

/// The id of the product of which the `nth` exchange is, unlike any other.
pub(crate) fn product_id(nth: u64) -> u64 {
    nth.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The live token of an account, which is looked for in all that is stored.
pub(crate) fn token(nth: u32) -> Secret {
    Secret::new(format!("{nth:02}_{}", "Qk9PVEg2bm9-d2hhdA".repeat(8)))
}

/// How long ago the first of the spread exchanges came: less than the usual `keep`.
pub(crate) const SPREAD: Duration = Duration::from_secs(6 * 86_400);

/// Stands in one exchange of 200 000.
pub(crate) const RARE_ERRCODE: i64 = 61_451;

pub(crate) const ACCOUNTS: u32 = 8;
const CALLERS: u32 = 12;

/// More than fit into what zstd looks back at.
const PRODUCTS: usize = 4096;

const REQUEST_HEADERS: &[(&str, &str)] = &[
    ("host", "gateway.example.com"),
    ("x-api-key", "wxgk_StoreBench_ppppppppppppppppppppppppppppppppppppppppppp000000"),
    ("content-type", "application/json"),
    ("user-agent", "PostmanRuntime/7.43.0"),
    ("accept", "*/*"),
    ("cache-control", "no-cache"),
    ("accept-encoding", "gzip, deflate, br"),
    ("connection", "keep-alive"),
];

const ANSWER_HEADERS: &[(&str, &str)] = &[
    ("connection", "keep-alive"),
    ("content-type", "application/json; encoding=utf-8"),
    ("logicret", "0"),
    ("retkey", "14"),
];

/// Paths with the names of their calls; the first ones are asked for most.
const PATHS: &[(&str, &str)] = &[
    ("/shop/spu/add", "添加商品 add product"),
    ("/shop/spu/update", "更新商品 update product"),
    ("/shop/spu/get", "获取商品 get product"),
    ("/shop/order/get", "获取订单 get order"),
    ("/shop/order/get_list", "订单列表 list orders"),
    ("/cgi-bin/message/custom/send", "客服消息 customer message"),
    ("/cgi-bin/message/template/send", "模板消息 template message"),
    ("/wxa/msg_sec_check", "文本安全 text check"),
    ("/wxa/getwxacodeunlimit", "小程序码 mini program code"),
    ("/shop/delivery/send", "订单发货 ship order"),
    ("/shop/aftersale/get", "售后单 after-sale"),
    ("/channels/ec/product/add", "小店商品 store product"),
    ("/channels/ec/order/list", "小店订单 store orders"),
    ("/cgi-bin/user/info", "用户信息 user info"),
    ("/cgi-bin/material/batchget_material", "素材列表 list materials"),
    ("/cgi-bin/menu/get", "菜单 menu"),
];
