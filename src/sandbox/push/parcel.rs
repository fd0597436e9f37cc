//! One push as it goes over the wire.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};
use http_body_util::Full;
use serde_json::{Map, Value};

use super::config::{Format, Mode, PushConfig};
use crate::wechat::{push_crypto::signature, push_message};

/// What makes each request different from all others.
pub(super) struct Stamp {
    /// Unix seconds.
    pub(super) timestamp: String,
    /// Digits.
    pub(super) nonce: String,
    /// The start of what is encrypted.
    pub(super) random: [u8; 16],
}

/// The POST that delivers `message` to the app called `app_id`. None only for a URL that
/// makes no request, which the configuration does not take.
pub(super) fn push(
    config: &PushConfig,
    message: &Map<String, Value>,
    app_id: &str,
    stamp: &Stamp,
) -> Option<Request<Full<Bytes>>> {
    let Stamp { timestamp, nonce, random } = stamp;
    let plain = written(config.format, message);
    let text = |name: &str| message.get(name).and_then(Value::as_str).unwrap_or_default();
    let signed = |encrypt| signature(&config.token, timestamp, nonce, encrypt);
    let is_sealed = match config.mode {
        Mode::Plain => false,
        Mode::Compatible | Mode::Secure => true,
    };
    let encrypt = is_sealed.then(|| config.key().encrypt(*random, plain.as_bytes(), app_id));
    let plain_signature = signed(None);
    let mut parameters =
        vec![("signature", plain_signature.as_str()), ("timestamp", timestamp), ("nonce", nonce)];
    // What a third-party platform is told comes from no user.
    if !text("FromUserName").is_empty() {
        parameters.push(("openid", text("FromUserName")));
    }
    let sealed_signature = encrypt.as_deref().map(|encrypt| signed(Some(encrypt)));
    if let Some(sealed_signature) = &sealed_signature {
        parameters.push(("encrypt_type", "aes"));
        parameters.push(("msg_signature", sealed_signature));
    }
    let body = match (config.mode, encrypt) {
        (Mode::Plain, _) | (Mode::Compatible | Mode::Secure, None) => plain,
        (Mode::Compatible, Some(encrypt)) => {
            let mut both = message.clone();
            both.insert("Encrypt".to_owned(), encrypt.into());
            written(config.format, &both)
        }
        (Mode::Secure, Some(encrypt)) => {
            let receiver = if message.contains_key("ToUserName") { "ToUserName" } else { "AppId" };
            let sealed = [(receiver, text(receiver)), ("Encrypt", encrypt.as_str())];
            let sealed = sealed.map(|(name, value)| (name.to_owned(), value.into()));
            written(config.format, &Map::from_iter(sealed))
        }
    };
    let mut request = request(config, Method::POST, &parameters, body.into())?;
    let content_type = HeaderValue::from_static(match config.format {
        Format::Json => "application/json",
        Format::Xml => "text/xml",
    });
    request.headers_mut().insert(header::CONTENT_TYPE, content_type);
    Some(request)
}

/// The GET that asks whether the URL is its owner's: the answer is `echostr`.
pub(super) fn verification(
    config: &PushConfig,
    stamp: &Stamp,
    echostr: &str,
) -> Option<Request<Full<Bytes>>> {
    let Stamp { timestamp, nonce, .. } = stamp;
    let signature = signature(&config.token, timestamp, nonce, None);
    let parameters = [
        ("signature", signature.as_str()),
        ("timestamp", timestamp),
        ("nonce", nonce),
        ("echostr", echostr),
    ];
    request(config, Method::GET, &parameters, Bytes::new())
}

fn request(
    config: &PushConfig,
    method: Method,
    parameters: &[(&str, &str)],
    body: Bytes,
) -> Option<Request<Full<Bytes>>> {
    let builder = Request::builder()
        .method(method)
        .uri(config.url.target(parameters))
        .header(header::HOST, config.url.authority())
        .header(header::ACCEPT, "*/*")
        .header(header::CONNECTION, "close");
    builder.body(Full::new(body)).ok()
}

fn written(format: Format, message: &Map<String, Value>) -> String {
    match format {
        Format::Json => push_message::to_json(message),
        Format::Xml => push_message::to_xml(message),
    }
}
