//! Sealed calls from a client of our own making.

use aws_lc_rs::{encoding::AsDer as _, rsa};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use rcgen::PublicKeyData as _;
use serde_json::{Value, json};

use crate::{
    sandbox::{
        Reply,
        calls::bench::{Bench, account, call},
    },
    wechat::{
        api_cipher::{CipherKind, SymmetricKey},
        api_signature::{SignatureKey, VerifyingKey},
        api_signing::{Binding, Fresh, Opened, header},
    },
};

const PATH: &str = "/wxa/getuserriskrank";
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A client with keys, and the account that knows their other halves.
struct Client {
    bench: Bench,
    own: SignatureKey,
    key: SymmetricKey,
    origin: &'static str,
    app_id: &'static str,
    timestamp_s: i64,
}

impl Client {
    fn new() -> Self {
        let bench = Bench::new();
        let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
        let private = pair.as_der().unwrap();
        let pem = rcgen::KeyPair::try_from(private.as_ref()).unwrap();
        let pem = pem::encode(&pem.subject_public_key_info());
        let form = json!({
            "symmetric": { "sn": "aa01", "key": KEY, "kind": "AES256_GCM" },
            "application": { "sn": "bb02", "public_key_pem": pem },
        });
        let (status, shown) = bench.control("POST", "signing", &form.to_string());
        assert_eq!(status, 200, "{shown}");
        let now_ms = bench.platform.account("shop").unwrap().now_ms();
        Self {
            bench,
            own: SignatureKey::from_pkcs8("bb02", private.as_ref()).unwrap(),
            key: SymmetricKey::new(CipherKind::Aes256Gcm, "aa01", KEY).unwrap(),
            origin: "https://api.weixin.qq.com",
            app_id: "wx1",
            timestamp_s: now_ms / 1000,
        }
    }

    fn url(&self) -> String {
        format!("{}{PATH}", self.origin)
    }

    /// The body and the headers of a request; `change` may spoil them.
    fn send(&self, change: impl Fn(&mut HeaderMap, &mut String)) -> Reply {
        let url = self.url();
        let binding = Binding { url: &url, app_id: self.app_id, timestamp_s: self.timestamp_s };
        let fields = r#"{"appid":"wx1","openid":"o1","scene":0,"client_ip":"127.0.0.1"}"#;
        let fresh = Fresh { iv: [7; 12], nonce: "n1" };
        let mut sealed = binding.seal(&self.key, &self.own, fresh, fields).unwrap();
        let mut headers = HeaderMap::new();
        for (name, value) in [
            (header::APP_ID, self.app_id),
            (header::TIMESTAMP, &self.timestamp_s.to_string()),
            (header::SIGNATURE, &sealed.signature),
        ] {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
        change(&mut headers, &mut sealed.body);
        let query = format!("access_token={}", self.bench.token());
        let mut call = call(Method::POST, PATH, &query, sealed.body.into());
        call.headers = headers;
        self.bench.platform.handle(&call)
    }

    fn errcode(&self) -> Option<i64> {
        self.send(|_, _| ()).answer.errcode
    }

    fn without(&self, name: &str) -> Option<i64> {
        self.send(|headers, _| drop(headers.remove(name))).answer.errcode
    }

    /// Verifies an answer with the certificate that control shows under `key`.
    fn open(&self, reply: &Reply, key: &str, (serial, signature): (&str, &str)) -> Opened {
        let shown = self.bench.control("GET", "signing", "").1;
        let text = |name: &str| shown[key][name].as_str().unwrap().to_owned();
        assert_eq!(value(reply, serial), text("sn"));
        let public = VerifyingKey::from_certificate(&text("sn"), &text("certificate_pem")).unwrap();
        let timestamp_s = value(reply, header::TIMESTAMP).parse().unwrap();
        let url = self.url();
        let binding = Binding { url: &url, app_id: self.app_id, timestamp_s };
        let signature = value(reply, signature);
        binding.open(&self.key, &public, &reply.answer.body, &signature).unwrap()
    }
}

/// A header in its exact spelling.
fn value(reply: &Reply, name: &str) -> String {
    let found = reply.headers.iter().find(|(given, _)| given == name);
    found.unwrap_or_else(|| panic!("no {name}")).1.clone()
}

mod pem {
    use base64::{Engine as _, engine::general_purpose::STANDARD};

    pub(super) fn encode(der: &[u8]) -> String {
        let text = STANDARD.encode(der);
        format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
    }
}

#[test]
fn a_sealed_call_is_opened_and_its_answer_sealed() {
    let client = Client::new();
    let reply = client.send(|_, _| ());
    assert_eq!(reply.answer.errcode, Some(0));
    let opened = client.open(&reply, "platform", (header::SERIAL, header::SIGNATURE));
    assert_eq!(opened.fields["errmsg"], "getuserriskrank succ");
    assert_eq!(value(&reply, "Wechatmp-Appid"), "wx1", "as WxJava spells it");
    client.bench.set(&json!({"signing_app_id_header": "Wechatmp-AppId"}));
    assert_eq!(value(&client.send(|_, _| ()), "Wechatmp-AppId"), "wx1");
    client.bench.set(&json!({"denied_paths": [PATH]}));
    let refused = client.send(|_, _| ());
    let opened = client.open(&refused, "platform", (header::SERIAL, header::SIGNATURE));
    assert_eq!(opened.fields["errcode"], 48001, "a refusal is sealed too");
}

#[test]
fn while_certificates_change_both_keys_sign() {
    let client = Client::new();
    let renew = |form: &str| client.bench.control("POST", "signing", form).1;
    let first = client.bench.control("GET", "signing", "").1["platform"].clone();
    let second = renew(r#"{"platform":{"generate":true}}"#);
    assert_eq!(second["deprecated"], first);
    assert_ne!(second["platform"]["sn"], first["sn"]);
    let reply = client.send(|_, _| ());
    client.open(&reply, "platform", (header::SERIAL, header::SIGNATURE));
    let old = (header::SERIAL_DEPRECATED, header::SIGNATURE_DEPRECATED);
    client.open(&reply, "deprecated", old);
    assert_eq!(renew(r#"{"platform":{"retire":true}}"#)["deprecated"], Value::Null);
    assert_eq!(client.send(|_, _| ()).headers.len(), 4);
}

#[test]
fn what_is_wrong_with_a_seal_has_its_errcode() {
    let client = Client::new();
    assert_eq!(client.without(header::TIMESTAMP), Some(40231));
    assert_eq!(client.without(header::SIGNATURE), Some(40232));
    assert_eq!(client.without(header::APP_ID), Some(40233));
    let spoilt = client.send(|_, body| *body = body.replace("\"iv\":\"B", "\"iv\":\"C"));
    assert_eq!((spoilt.answer.errcode, spoilt.headers.len()), (Some(40234), 0));
    let with = |client: &Client| client.errcode();
    assert_eq!(with(&Client { app_id: "wx9", ..Client::new() }), Some(40236));
    let two = Client { app_id: "wx2", ..Client::new() };
    two.bench.platform.add_account(account("other", "wx2", "s2")).unwrap();
    assert_eq!(with(&two), Some(40237));
    let key = SymmetricKey::new(CipherKind::Aes256Gcm, "aa02", KEY).unwrap();
    assert_eq!(with(&Client { key, ..Client::new() }), Some(40235));
    assert_eq!(with(&Client { origin: "https://127.0.0.1", ..Client::new() }), Some(40234));
    assert_eq!(with(&Client { origin: "https://api2.weixin.qq.com", ..Client::new() }), Some(0));
    client.bench.control("POST", "reset", "");
    assert_eq!(client.errcode(), Some(40238));
    let form = json!({"symmetric": {"sn": "aa01", "key": KEY, "kind": "AES256_GCM"}});
    client.bench.control("POST", "signing", &form.to_string());
    assert_eq!(client.errcode(), Some(40239));
}

#[test]
fn time_repetition_serial_and_duty_are_switches() {
    let client = Client::new();
    let late = Client { timestamp_s: client.timestamp_s - 310, ..client };
    assert_eq!(late.errcode(), Some(40240));
    late.bench.set(&json!({"signing_window_s": null}));
    assert_eq!((late.errcode(), late.errcode()), (Some(0), Some(0)));
    late.bench.set(&json!({"signing_repeats_refused": true}));
    assert_eq!(late.errcode(), Some(40240));
    late.bench.set(&json!({"signing_repeats_refused": false, "signing_serial_required": true}));
    assert_eq!(late.errcode(), Some(40230));
    late.bench.set(&json!({"signing_serial_required": false}));
    let plain = json!({"appid": "wx1", "openid": "o1", "scene": 0, "client_ip": "127.0.0.1"});
    assert_eq!(late.bench.post(PATH, &plain).errcode, Some(0));
    late.bench.set(&json!({"require_signing": true}));
    assert_eq!(late.bench.post(PATH, &plain).errcode, Some(40232));
    assert_eq!(late.bench.get_with_token("/cgi-bin/getcallbackip", "").errcode, None);
}

#[test]
fn control_shows_no_key_and_refuses_what_is_none() {
    let client = Client::new();
    let shown = client.bench.control("GET", "signing", "").1;
    assert_eq!(shown["symmetric"], json!({"sn": "aa01", "kind": "AES256_GCM"}));
    assert!(!shown.to_string().contains("PRIVATE") && !shown.to_string().contains(KEY));
    let set = |form: &str| client.bench.control("POST", "signing", form);
    for (form, hint) in [
        (r#"{"symmetric":{"sn":"a","key":"AAAA","kind":"AES256_GCM"}}"#, "32 bytes"),
        (r#"{"symmetric":{"sn":"a","key":"AAAA","kind":"DES"}}"#, "SM4_GCM"),
        (r#"{"application":{"sn":"a","public_key_pem":"x"}}"#, "public key"),
        (r#"{"x":1}"#, "symmetric"),
    ] {
        let (status, answer) = set(form);
        assert_eq!(status, 400, "{form}");
        assert!(answer["message"].as_str().unwrap().contains(hint), "{answer}");
    }
    assert_eq!(client.errcode(), Some(0), "nothing changed");
}
