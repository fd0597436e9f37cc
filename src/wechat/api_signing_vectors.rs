//! The vectors of API signing: computed with other software, and our own round trips.

use aws_lc_rs::{digest, encoding::AsDer as _, rsa};
use serde_json::json;

use super::*;
use crate::wechat::api_cipher::CipherKind;

const URL: &str = "https://api.weixin.qq.com/wxa/getuserriskrank";
const APP_ID: &str = "wx0123456789abcdef";
const SN: &str = "00112233445566778899aabbccddeeff";
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const PUBLIC_KEY: &str = "\
-----BEGIN PUBLIC KEY-----
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAqT1/Ry70MsqNyXzEdDkq
L8Y+QGNkq4tJPBo0nIfTEB99lMItsWzrB5QnStBRj2qNiUlvYA/uz6yCnd7EcjBV
boxh4Z4M8GRwHq/D0dgcj44eFSYhCDwkr85Z2X2ACJelv+SAZLU5iFO2xTzdoE/s
03K1nVDDvlzpezav024vd1UAS6GKvcz/gqH5nzhJTmtq4TgAKxg5hkv42rlX5Soo
31aRM8uQnIe741Nc2gRiBWlhTDljf2T7u2WlvqY3Rfa4hLQiSMmEpmphjFdZrmvA
gScMdWUJ2lIZyX9l3gyec+tShH7jS4Y4h6vPpn6Xv/RfbibOhcPc3lX1kiSyb6DD
zQIDAQAB
-----END PUBLIC KEY-----
";
const REQUEST_INNER: &str = r#"{"_n":"c2ltdWxhdG9yLW5vbmNlLTAx","_appid":"wx0123456789abcdef","_timestamp":1767225600,"appid":"wx0123456789abcdef","openid":"oTest0000000000000000000001","scene":0,"client_ip":"127.0.0.1"}"#;
const REQUEST_BODY: &str = "\
    {\"iv\":\"oKGio6Slpqeoqaqr\",\"data\":\"nTojQ2fxINxQCfO3UAKoujeVIFzFgjQO8UBKyivqDSP+\
    VBie31I6WX2mJr9xSrLLdC9zflXoIx8jPW87wlKpkuvI7AJV1pCBmZLdIr75+o3/OZ6S9fG1WI8FTvPVuHe2\
    +PwbmjGdu66o7D5p5OqOTEE2Q4L8WutZQaa6ho53nRmgYsRP43KwJwdpzrsieqHmuOmdW47gyrzM75HX3KRR\
    RaM6JYGaSCN6629FVjC7xsNNBMyqNUieELKsRxsh\",\"authtag\":\"wzk+pruw8ujCSiIoNKzR2g==\"}";
const REQUEST_SIGNATURE: &str = "\
    RtufHo8Q9FVH6Aew9mwkFYPPvI2ftWRmlFPejZgi8N8Ub8RMp4PH+p9MgbGYjNkoWeU9hcILFxHZbV7kJH9r\
    NyPd6KdVY9TZFmEm17vB88be2zz9SQV9jPyQzihdgc1hCG0RBaceDYD2GZlSstlZn0BDJmOccjsX7yXVUYKq\
    hqNHJ1PZ2vvbjoWi+Dy2u373ixS0wdxUu490WX+fVv2utM9CZ4xA/37lQJnL/rk+oH4oq3fyd23HohEg6sNW\
    6xX0Cz8Kmzv4GQSElGEs+tEYaH4KBqwQ5B+5c5s/t0/univpUI1ectIsVuIMGKbwS5VCnRZKHFHYVseK86YO\
    E7zHuw==";
const ANSWER_INNER: &str = r#"{"_n":"cmVzcG9uc2Utbm9uY2UtMDE","_appid":"wx0123456789abcdef","_timestamp":1767225601,"errcode":0,"errmsg":"getuserriskrank succ","risk_rank":0}"#;
const ANSWER_BODY: &str = "\
    {\"iv\":\"sLGys7S1tre4ubq7\",\"data\":\"4ncFxc73mTwqru3BimT9obZpPbB4F/psbJv2vBjH0Don\
    FEJKE7fCmp951zIMiLCGGVgh8CMCI5Iu7glWJrcCoMaBU9F5yAe3af6Yb6kw1QN0pf+CmVRXuIeJG/9PPC2F\
    U4xcPrylW2U5bCD+9b+09X7TxeUagKZIGWmc+W17TEFrgYX8an34cRA0Y00OJQFm\",\"authtag\":\"+S6\
    Ab1rHruq9X93rbTp+kQ==\"}";
const ANSWER_SIGNATURE: &str = "\
    qErr7qF0dTEuoiwm5hNiXN0+SOMAMSqQp61gfNfaoPOx2Zz0qXWmF63v8xD0c7a3/5E8VLO4Z/mSKcQI4xVY\
    /m3GnBqvWY+e7IfNLtDpblWIWVFkI0J2Dp6F1PR4QWrbeEQMt0yncLB1w9xFvQ0E6ZghF2EzY+Zq6AB63VcL\
    F22k9+/PkdAaQhF9Kwu3sQH8c8MdWKOTjlfHjXGP5ItoVEs9W8RilZFwgWfqg24qF1JgWsGCu6wPL1bmPDMa\
    3z51Rf6XejBkD+FpI0WLX8MKkdsiDq8gv26c6gJQNrhno/RoRo1JFG/xypzeagVgZ0V4FfEUsAKePChoHr50\
    kOgaYQ==";

const REQUEST: Binding<'_> = Binding { url: URL, app_id: APP_ID, timestamp_s: 1_767_225_600 };
const ANSWER: Binding<'_> = Binding { timestamp_s: 1_767_225_601, ..REQUEST };

fn key() -> SymmetricKey {
    SymmetricKey::new(CipherKind::Aes256Gcm, SN, KEY).unwrap()
}

fn public_key() -> VerifyingKey {
    VerifyingKey::from_pem("0a1b", PUBLIC_KEY).unwrap()
}

fn iv(first: u8) -> [u8; 12] {
    std::array::from_fn(|at| first + u8::try_from(at).unwrap())
}

fn sha256(text: &str) -> String {
    let digest = digest::digest(&digest::SHA256, text.as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn what_is_encrypted_has_exactly_the_vectors_bytes() {
    for (binding, first, inner, body) in
        [(REQUEST, 0xa0, REQUEST_INNER, REQUEST_BODY), (ANSWER, 0xb0, ANSWER_INNER, ANSWER_BODY)]
    {
        let sealed = key().seal(iv(first), &binding.aad(SN), inner.as_bytes()).unwrap();
        assert_eq!(serde_json::to_string(&sealed).unwrap(), body);
    }
    assert_eq!(REQUEST.aad(SN), format!("{URL}|{APP_ID}|1767225600|{SN}"));
    let wanted = "b1889e249e286e93e32c0746ea050b631b98de0eaabf29bf24982f032132749a";
    assert_eq!(sha256(&REQUEST.payload(REQUEST_BODY)), wanted);
    let wanted = "92590df60f8c1cc879bd911d576b409f5d9a9d18d63b7515dc6a9626c9b846a5";
    assert_eq!(sha256(&ANSWER.payload(ANSWER_BODY)), wanted);
}

#[test]
fn the_vectors_signatures_verify_and_their_bodies_open() {
    let open = |binding: Binding<'_>, body: &str, signature: &str| {
        binding.open(&key(), &public_key(), body.as_bytes(), signature)
    };
    let opened = open(REQUEST, REQUEST_BODY, REQUEST_SIGNATURE).unwrap();
    assert_eq!(opened.nonce, "c2ltdWxhdG9yLW5vbmNlLTAx");
    let wanted = json!({
        "appid": APP_ID, "openid": "oTest0000000000000000000001", "scene": 0,
        "client_ip": "127.0.0.1",
    });
    assert_eq!(Value::Object(opened.fields), wanted);
    let opened = open(ANSWER, ANSWER_BODY, ANSWER_SIGNATURE).unwrap();
    assert_eq!(opened.fields["errmsg"], "getuserriskrank succ");
    let wrong = SigningError::WrongSignature;
    assert_eq!(open(REQUEST, REQUEST_BODY, ANSWER_SIGNATURE), Err(wrong));
    assert_eq!(open(ANSWER, REQUEST_BODY, REQUEST_SIGNATURE), Err(wrong), "another time");
    let other = Binding { url: "https://api2.weixin.qq.com/wxa/getuserriskrank", ..REQUEST };
    assert_eq!(open(other, REQUEST_BODY, REQUEST_SIGNATURE), Err(wrong));
}

#[test]
fn the_inner_json_is_the_vectors() {
    let fields = REQUEST_INNER.split_once("1767225600,").unwrap().1;
    let inner = REQUEST.inner("c2ltdWxhdG9yLW5vbmNlLTAx", &format!("{{{fields}"));
    assert_eq!(inner.as_deref(), Some(REQUEST_INNER));
    assert_eq!(REQUEST.inner("n", " { } ").unwrap().matches(',').count(), 2);
    assert_eq!((REQUEST.inner("n", "[]"), REQUEST.inner("n", "{")), (None, None));
}

/// A fresh RSA key at both ends; the far end knows it by a certificate.
fn rsa_pair() -> (SignatureKey, VerifyingKey) {
    let pair = rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap();
    let pkcs8 = pair.as_der().unwrap();
    let own = SignatureKey::from_pkcs8("0a1b", pkcs8.as_ref()).unwrap();
    let pair = rcgen::KeyPair::try_from(pkcs8.as_ref()).unwrap();
    let pem = rcgen::CertificateParams::default().self_signed(&pair).unwrap().pem();
    (own, VerifyingKey::from_certificate("0a1b", &pem).unwrap())
}

#[test]
fn what_was_sealed_here_opens_at_the_other_end_with_every_digit() {
    let (own, public) = rsa_pair();
    let fresh = Fresh { iv: iv(1), nonce: "n1" };
    let sealed = REQUEST.seal(&key(), &own, fresh, r#"{"id":18446744073709551615}"#).unwrap();
    let opened = REQUEST.open(&key(), &public, sealed.body.as_bytes(), &sealed.signature).unwrap();
    assert_eq!((opened.nonce.as_str(), &opened.fields["id"]), ("n1", &json!(u64::MAX)));
    let other = REQUEST.open(&key(), &public, b"x", &sealed.signature);
    assert_eq!(other, Err(SigningError::WrongSignature));
}

#[test]
fn a_good_signature_does_not_save_a_bad_body() {
    let (own, public) = rsa_pair();
    let open = |body: &str| {
        let signature = own.sign(REQUEST.payload(body).as_bytes()).unwrap();
        REQUEST.open(&key(), &public, body.as_bytes(), &signature).unwrap_err().errcode()
    };
    let with_inner = |inner: &str| {
        let sealed = key().seal(iv(2), &REQUEST.aad(SN), inner.as_bytes()).unwrap();
        open(&serde_json::to_string(&sealed).unwrap())
    };
    assert_eq!((open("x"), open(r#"{"iv":"","data":"","authtag":""}"#)), (40235, 40235));
    assert_eq!(with_inner("[]"), 40235);
    assert_eq!(with_inner(r#"{"_appid":"wx","_timestamp":1767225600}"#), 40236);
    assert_eq!(with_inner(r#"{"_appid":"wx0123456789abcdef","_timestamp":1}"#), 40235);
}
