//! API signing and encryption: how a request and its answer are sealed and opened.
//!
//! Requests and answers have one form, so that a client and the platform use the same two
//! functions, each with its own private key and the other's public one. The facts: the pages on
//! server API signing (read 2026-08). The query is in neither, so that `access_token` may change.

use serde_json::{Map, Value, value::RawValue};

use super::{
    api_cipher::{SealedBody, SymmetricKey},
    api_signature::{SignatureKey, VerifyingKey},
};

/// The headers of requests and answers, in the letter case in which the platform writes them.
pub mod header {
    /// AppID.
    pub const APP_ID: &str = "Wechatmp-AppId";
    /// Unix seconds, as `_timestamp` inside.
    pub const TIMESTAMP: &str = "Wechatmp-TimeStamp";
    /// The signature in Base64.
    pub const SIGNATURE: &str = "Wechatmp-Signature";
    /// The number of the key that signed: of answers always, of requests maybe.
    pub const SERIAL: &str = "Wechatmp-Serial";
    /// The signature by the key before, while the platform's certificates change.
    pub const SIGNATURE_DEPRECATED: &str = "Wechatmp-Signature-Deprecated";
    /// Its number.
    pub const SERIAL_DEPRECATED: &str = "Wechatmp-Serial-Deprecated";
}

/// What is wrong with a sealed request or answer; the platform's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// No `Wechatmp-Serial`.
    #[error("Wechatmp-Serial missing")]
    NoSerial,
    /// No `Wechatmp-TimeStamp`, or not a number.
    #[error("Wechatmp-TimeStamp missing")]
    NoTimestamp,
    /// No `Wechatmp-Signature`.
    #[error("Wechatmp-Signature missing")]
    NoSignature,
    /// No `Wechatmp-AppId`.
    #[error("Wechatmp-AppId missing")]
    NoAppId,
    /// Signed by another key, or something else was signed.
    #[error("invalid signature")]
    WrongSignature,
    /// Not the sealed form, another key, another AAD, or other things inside than outside.
    #[error("invalid encryption")]
    WrongEncryption,
    /// An AppID that cannot be one, or another one inside than outside.
    #[error("invalid Wechatmp-AppId")]
    WrongAppId,
    /// The AppID of another account than the token's.
    #[error("Wechatmp-AppId does not match the access_token")]
    OtherAppId,
    /// The account has no symmetric key.
    #[error("no symmetric key is configured")]
    NoSymmetricKey,
    /// The account has no public key.
    #[error("no public key is configured")]
    NoPublicKey,
    /// Made too long ago, or in the future.
    #[error("the timestamp is too old")]
    Expired,
}

impl SigningError {
    /// The platform's code.
    #[must_use]
    pub fn errcode(self) -> i64 {
        match self {
            Self::NoSerial => 40230,
            Self::NoTimestamp => 40231,
            Self::NoSignature => 40232,
            Self::NoAppId => 40233,
            Self::WrongSignature => 40234,
            Self::WrongEncryption => 40235,
            Self::WrongAppId => 40236,
            Self::OtherAppId => 40237,
            Self::NoSymmetricKey => 40238,
            Self::NoPublicKey => 40239,
            Self::Expired => 40240,
        }
    }
}

/// What a message is bound to. An answer has the request's URL and AppID and its own time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding<'a> {
    /// Scheme, host and path, without query: `https://api.weixin.qq.com/wxa/getuserriskrank`.
    pub url: &'a str,
    /// AppID.
    pub app_id: &'a str,
    /// Unix seconds.
    pub timestamp_s: i64,
}

/// What must differ in each message, given because this room draws nothing by itself.
#[derive(Clone, Copy, Debug)]
pub struct Fresh<'a> {
    /// Never twice with one key.
    pub iv: [u8; 12],
    /// `_n`.
    pub nonce: &'a str,
}

/// A body with its signature, to be sent with the headers of [`header`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// `{"iv","data","authtag"}`.
    pub body: String,
    /// In Base64.
    pub signature: String,
}

/// What was inside.
#[derive(Clone, Debug, PartialEq)]
pub struct Opened {
    /// `_n`; empty if there was none.
    pub nonce: String,
    /// Everything but `_n`, `_appid` and `_timestamp`.
    pub fields: Map<String, Value>,
}

impl Binding<'_> {
    /// The additional authenticated data for the symmetric key numbered `sn`.
    #[must_use]
    pub fn aad(&self, sn: &str) -> String {
        format!("{}|{}|{}|{sn}", self.url, self.app_id, self.timestamp_s)
    }

    /// What is signed: four lines, the last without an end.
    #[must_use]
    pub fn payload(&self, body: &str) -> String {
        format!("{}\n{}\n{}\n{body}", self.url, self.app_id, self.timestamp_s)
    }

    /// Encrypts and signs `fields`, the text of a JSON object, which is kept as it is.
    ///
    /// # Errors
    /// [`SigningError::WrongEncryption`] when `fields` is not a JSON object.
    pub fn seal(
        &self,
        key: &SymmetricKey,
        own: &SignatureKey,
        fresh: Fresh<'_>,
        fields: &str,
    ) -> Result<Sealed, SigningError> {
        let inner = self.inner(fresh.nonce, fields).ok_or(SigningError::WrongEncryption)?;
        let sealed = key.seal(fresh.iv, &self.aad(key.sn()), inner.as_bytes())?;
        let body = serde_json::to_string(&sealed).map_err(|_| SigningError::WrongEncryption)?;
        let signature = own.sign(self.payload(&body).as_bytes())?;
        Ok(Sealed { body, signature })
    }

    /// Verifies and decrypts a body, and holds what is inside against this binding.
    ///
    /// # Errors
    /// [`SigningError`] for the first thing that is wrong, the signature before all others.
    pub fn open(
        &self,
        key: &SymmetricKey,
        other: &VerifyingKey,
        body: &[u8],
        signature: &str,
    ) -> Result<Opened, SigningError> {
        let text = std::str::from_utf8(body).map_err(|_| SigningError::WrongEncryption)?;
        other.verify(self.payload(text).as_bytes(), signature)?;
        let sealed: SealedBody =
            serde_json::from_str(text).map_err(|_| SigningError::WrongEncryption)?;
        let inner = key.open(&self.aad(key.sn()), &sealed)?;
        let mut fields: Map<String, Value> =
            serde_json::from_slice(&inner).map_err(|_| SigningError::WrongEncryption)?;
        if fields.remove("_appid").is_none_or(|app_id| app_id != self.app_id) {
            return Err(SigningError::WrongAppId);
        }
        if fields.remove("_timestamp").is_none_or(|time| time != self.timestamp_s) {
            return Err(SigningError::WrongEncryption);
        }
        let nonce = fields.remove("_n");
        let nonce = nonce.as_ref().and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Opened { nonce, fields })
    }

    /// `fields` with the three that every message has before them. Numbers keep their digits.
    fn inner(&self, nonce: &str, fields: &str) -> Option<String> {
        let fields: &RawValue = serde_json::from_str(fields).ok()?;
        let rest = fields.get().strip_prefix('{')?;
        let comma = if rest.trim_start().starts_with('}') { "" } else { "," };
        let (nonce, app_id) = (Value::from(nonce), Value::from(self.app_id));
        let time = self.timestamp_s;
        Some(format!(r#"{{"_n":{nonce},"_appid":{app_id},"_timestamp":{time}{comma}{rest}"#))
    }
}

#[cfg(test)]
#[path = "api_signing_vectors.rs"]
mod vectors;
