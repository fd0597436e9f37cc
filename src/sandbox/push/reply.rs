//! What a receiver answered, as the platform takes it.

use serde_json::{Map, Value};

use super::config::{Format, Mode, PushConfig};
use crate::wechat::{push_crypto::is_signed, push_message};

/// An answer that was read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// What it says, decrypted where it was encrypted.
    pub(super) answer: String,
    /// Why the platform does not take it; none if it does.
    pub(super) error: Option<String>,
}

/// Reads the answer to a push.
///
/// Good are `success`, nothing at all, `{"ErrCode":0}`, and a reply in the format of the pushes:
/// encrypted, or plain where pushes are not only encrypted. The answer to the event of a received
/// coupon is such a reply too.
pub(super) fn read(config: &PushConfig, app_id: &str, status: u16, body: &[u8]) -> Reading {
    let text = String::from_utf8_lossy(body).into_owned();
    if status != 200 {
        return Reading { answer: text, error: Some(format!("the status is {status}, not 200")) };
    }
    // As far as is known, blanks around the word do no harm.
    if matches!(text.trim(), "" | "success") {
        return Reading { answer: text, error: None };
    }
    match reply(config, app_id, &text) {
        Ok(answer) => Reading { answer: answer.unwrap_or(text), error: None },
        Err(error) => Reading { answer: text, error: Some(error) },
    }
}

/// The decrypted reply; none if it was plain.
fn reply(config: &PushConfig, app_id: &str, text: &str) -> Result<Option<String>, String> {
    let read = match config.format {
        Format::Json => push_message::from_json(text),
        Format::Xml => push_message::from_xml(text),
    };
    let fields = read.map_err(|error| format!("neither `success` nor a reply: {error}"))?;
    if let Some(encrypt) = fields.get("Encrypt").and_then(Value::as_str) {
        return opened(config, app_id, &fields, encrypt).map(Some);
    }
    match (fields.get("ErrCode").map(plain), config.mode) {
        (Some(code), _) if code == "0" => Ok(None),
        (Some(code), _) => Err(format!("ErrCode is {code}")),
        (None, Mode::Plain | Mode::Compatible) => Ok(None),
        (None, Mode::Secure) => Err("a reply in secure mode has Encrypt".to_owned()),
    }
}

/// Checks the signature, then tries both keys.
fn opened(
    config: &PushConfig,
    app_id: &str,
    fields: &Map<String, Value>,
    encrypt: &str,
) -> Result<String, String> {
    let field = |name: &str| fields.get(name).map(plain).unwrap_or_default();
    let (given, timestamp, nonce) = (field("MsgSignature"), field("TimeStamp"), field("Nonce"));
    if !is_signed(&given, &config.token, &timestamp, &nonce, Some(encrypt)) {
        return Err("MsgSignature is wrong, or TimeStamp or Nonce is missing".to_owned());
    }
    let mut error = None;
    for key in config.reply_keys() {
        match key.decrypt(encrypt, app_id) {
            Ok(message) => return Ok(String::from_utf8_lossy(&message).into_owned()),
            Err(wrong) => error = error.or(Some(wrong)),
        }
    }
    Err(error.map_or_else(String::new, |error| error.to_string()))
}

/// A string without its quotes, a number as it is: receivers write both.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        base::kind::AccountKind,
        sandbox::{ids::Ids, push::config::PushForm},
    };

    const APP_ID: &str = "wx0123456789abcdef";

    fn config(mode: &str, format: &str) -> PushConfig {
        let form: PushForm = serde_json::from_value(json!({
            "url": "http://localhost/", "token": "simToken2026", "mode": mode, "format": format,
            "aes_key": "q1Os1ZMe0nG28KUEx9lg3HjK7V5QyXvi212fzsgDqgz",
        }))
        .unwrap();
        form.over(None, AccountKind::MiniProgram, &Ids::new(1, "x")).unwrap().config
    }

    fn encrypted(timestamp: &str) -> String {
        format!(
            r#"{{"Encrypt":"LUqY6rqIwyr/pwxfF4EPX0YD8tOiCKz9rwhrnxFnR8mXYDFCqm8hQz67ChYipWNnSEi2e0rlsXX94Tm8+I4ttg==",
            "MsgSignature":"1bf95a47b8265e5fdec542d3cba07e595870fd12","TimeStamp":{timestamp},"Nonce":"1320562132"}}"#
        )
    }

    #[test]
    fn an_encrypted_reply_is_opened_whether_its_time_is_a_number_or_not() {
        for timestamp in ["1767225601", "\"1767225601\""] {
            let reply = encrypted(timestamp);
            let read = read(&config("secure", "json"), APP_ID, 200, reply.as_bytes());
            let wanted = r#"{"demo_resp":"good luck"}"#.to_owned();
            assert_eq!(read, Reading { answer: wanted, error: None });
        }
        let fields = push_message::from_json(&encrypted("1767225601")).unwrap();
        let xml = push_message::to_xml(&fields);
        assert_eq!(read(&config("secure", "xml"), APP_ID, 200, xml.as_bytes()).error, None);
        let forged = read(&config("secure", "json"), APP_ID, 200, encrypted("1").as_bytes());
        assert!(forged.error.unwrap().contains("MsgSignature"));
        let other = read(&config("secure", "json"), "wx1", 200, encrypted("1767225601").as_bytes());
        assert!(other.error.unwrap().contains("AppID"));
    }

    #[test]
    fn answers_are_taken_or_not() {
        for (mode, format, status, body, is_good) in [
            ("plain", "json", 200, "success", true),
            ("secure", "xml", 200, "", true),
            ("plain", "json", 200, r#"{"ErrCode":0,"ErrMsg":"success"}"#, true),
            ("secure", "json", 200, r#"{"ErrCode":0}"#, true),
            ("plain", "xml", 200, "<xml><ErrCode>0</ErrCode></xml>", true),
            ("plain", "json", 200, r#"{"ErrCode":5}"#, false),
            ("plain", "json", 200, r#"{"out_user_coupon_id":"c1","ret_code":0}"#, true),
            ("compatible", "xml", 200, "<xml><MsgType>text</MsgType></xml>", true),
            ("secure", "json", 200, r#"{"ret_code":0}"#, false),
            ("plain", "xml", 200, r#"{"ErrCode":0}"#, false),
            ("plain", "json", 200, "ok", false),
            ("plain", "json", 200, "\u{0}", false),
            ("plain", "json", 302, "", false),
            ("plain", "json", 500, "success", false),
        ] {
            let read = read(&config(mode, format), APP_ID, status, body.as_bytes());
            assert_eq!(read.error.is_none(), is_good, "{mode} {format} {status} {body} {read:?}");
            assert_eq!(read.answer, body);
        }
    }
}
