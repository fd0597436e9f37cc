//! API signing and encryption, the platform's side of it.
//!
//! Here live an account's keys, the control of them, and how a sealed request is opened before
//! its body is read and its answer sealed. How the bytes are made is known to `wechat`.

mod answer;
pub(super) mod control;
mod keys;
mod request;
mod risk_call;
mod switches;

pub(super) use self::{answer::seal, keys::Signing, request::open, switches::Switches};
use super::dispatch::CallSpec;

/// A request that was opened: its answer is sealed for the same URL.
#[derive(Clone, Debug)]
pub(super) struct Seal {
    url: String,
}

/// All calls that came with this room.
pub(super) const FAMILIES: &[&[CallSpec]] = &[risk_call::CALLS];

/// The calls that may be sealed, as the platform's pages mark them (read 2026-08).
fn is_supported(path: &str) -> bool {
    path.starts_with("/datacube/getweanalysis") || PATHS.binary_search(&path).is_ok()
}

/// Sorted.
const PATHS: &[&str] = &[
    "/cgi-bin/clear_quota",
    "/cgi-bin/express/business/account/getall",
    "/cgi-bin/express/business/delivery/getall",
    "/cgi-bin/express/business/printer/getall",
    "/cgi-bin/message/custom/send",
    "/cgi-bin/openapi/quota/get",
    "/cgi-bin/openapi/rid/get",
    "/cgi-bin/wxaapp/createwxaqrcode",
    "/wxa/business/checkencryptedmsg",
    "/wxa/business/getuserencryptkey",
    "/wxa/business/getuserphonenumber",
    "/wxa/business/performance/boot",
    "/wxa/devplugin",
    "/wxa/getpluginopenpid",
    "/wxa/getuserriskrank",
    "/wxa/getwxacode",
    "/wxa/getwxacodeunlimit",
    "/wxa/getwxadevinfo",
    "/wxa/media_check_async",
    "/wxa/msg_sec_check",
    "/wxa/plugin",
    "/wxa/servicemarket",
    "/wxaapi/log/get_performance",
    "/wxaapi/log/jserr_detail",
    "/wxaapi/log/jserr_list",
];

#[cfg(test)]
mod round_trips;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_calls_is_sorted_and_has_no_upload() {
        assert!(PATHS.is_sorted());
        assert!(is_supported("/wxa/getuserriskrank"));
        assert!(is_supported("/datacube/getweanalysisappidvisittrend"));
        assert!(!is_supported("/cgi-bin/media/upload") && !is_supported("/cgi-bin/token"));
    }
}
