//! The switches of API signing.

use serde::{Deserialize, Serialize};

use crate::wechat::api_signing::header;

/// A part of the account's settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sandbox) struct Switches {
    /// Whether calls that may be sealed must be: 40232.
    pub(super) require_signing: bool,
    /// Whether requests must carry `Wechatmp-Serial` (40230). Not documented; clients send none.
    pub(super) signing_serial_required: bool,
    /// How far the timestamp may be from the platform's clock, in seconds (40240); none = it is
    /// not looked at. Not documented; the sample client takes answers of 300 s.
    pub(super) signing_window_s: Option<u32>,
    /// Whether a repeated `_n` is refused, also with 40240. Not documented.
    pub(super) signing_repeats_refused: bool,
    /// The origins that a request may be signed for, whichever it was sent to.
    pub(super) signing_origins: Vec<String>,
    /// How answers spell the header of the AppID; a client is known that looks for no other.
    pub(super) signing_app_id_header: String,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            require_signing: false,
            signing_serial_required: false,
            signing_window_s: Some(300),
            signing_repeats_refused: false,
            signing_origins: ORIGINS.iter().map(ToString::to_string).collect(),
            signing_app_id_header: "Wechatmp-Appid".to_owned(),
        }
    }
}

impl Switches {
    /// The spelling that is set, if it is one of that header.
    pub(super) fn app_id_header(&self) -> String {
        let is_good = self.signing_app_id_header.eq_ignore_ascii_case(header::APP_ID);
        if is_good { self.signing_app_id_header.clone() } else { header::APP_ID.to_owned() }
    }
}

const ORIGINS: &[&str] = &[
    "https://api.weixin.qq.com",
    "https://api2.weixin.qq.com",
    "https://sh.api.weixin.qq.com",
    "https://sz.api.weixin.qq.com",
    "https://hk.api.weixin.qq.com",
];
