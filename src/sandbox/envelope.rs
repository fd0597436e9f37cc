//! How an outcome is written: the platform's error envelope, and what switches change in it.

use std::net::IpAddr;

use http::StatusCode;
use serde_json::Value;

use super::{
    call::{Answer, JSON, PLAIN},
    fault_list::{Instead, Oddity},
    refusal::Refusal,
    settings::{JsonType, Settings},
    wecom,
};
use crate::base::kind::AccountKind;

/// What stands behind the text of a refusal.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    /// WeCom writes another one than WeChat.
    pub(super) kind: AccountKind,
    /// Names the call.
    pub(super) rid: String,
    /// The caller's address, as WeCom tells it.
    pub(super) peer: IpAddr,
}

impl Mark {
    /// The rid, or WeCom's hint.
    pub(super) fn shown(&self) -> String {
        if self.kind == AccountKind::Wecom { wecom::hint(&self.rid) } else { self.rid.clone() }
    }

    fn text(&self, refusal: &Refusal) -> String {
        match self.kind {
            AccountKind::Wecom => wecom::errmsg(refusal, &self.shown(), self.peer),
            AccountKind::MiniProgram
            | AccountKind::OfficialAccount
            | AccountKind::OpenPlatform
            // One code was seen with no text at all.
            | AccountKind::Generic if refusal.errmsg.is_empty() => String::new(),
            AccountKind::MiniProgram
            | AccountKind::OfficialAccount
            | AccountKind::OpenPlatform
            | AccountKind::Generic => format!("{} rid: {}", refusal.errmsg, self.rid),
        }
    }
}

/// HTTP 200 with errcode, text and mark.
pub(super) fn refused(refusal: &Refusal, mark: &Mark) -> Answer {
    let text = Value::String(mark.text(refusal));
    let errcode = refusal.errcode;
    Answer {
        status: StatusCode::OK,
        content_type: JSON,
        disposition: None,
        extra: None,
        body: format!(r#"{{"errcode":{errcode},"errmsg":{text}}}"#).into(),
        errcode: Some(errcode),
    }
}

/// nginx's own page for a status, as the platform's front servers send it.
pub(super) fn page(status: StatusCode) -> Answer {
    let page = format!(
        "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n\
         <center><h1>{status}</h1></center>\r\n<hr><center>nginx</center>\r\n\
         </body>\r\n</html>\r\n"
    );
    Answer { status, ..Answer::binary("text/html", page.into()) }
}

/// What stands in place of an answer; a refusal where it has an errcode.
pub(super) fn instead(instead: Instead) -> Result<Answer, i64> {
    match instead {
        Instead::Errcode(errcode) => Err(errcode),
        Instead::EmptyGbk => Ok(Answer::binary("text/html; charset=gbk", bytes::Bytes::new())),
        Instead::Status(status) => {
            Ok(page(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY)))
        }
    }
}

/// Lays the account's switches, and what a fault adds, over an answer of a call whose JSON comes
/// as `text/plain` or not.
pub(super) fn dressed(
    mut answer: Answer,
    is_plain: bool,
    settings: &Settings,
    oddity: Option<Oddity>,
) -> Answer {
    if answer.content_type != JSON {
        return answer;
    }
    let is_plain = match settings.json_type {
        JsonType::Usual => is_plain,
        JsonType::Json => false,
        JsonType::Plain => true,
    };
    if is_plain || oddity == Some(Oddity::Plain) {
        answer.content_type = PLAIN;
    }
    let is_text = settings.errcode_as_string || oddity == Some(Oddity::StringErrcode);
    let is_odd = settings.control_characters || oddity == Some(Oddity::ControlCharacters);
    if is_text || is_odd {
        answer.body = odd_json(&answer.body, is_text, is_odd).into();
    }
    answer
}

/// JSON with the oddities that the platform was seen with.
fn odd_json(body: &[u8], has_text_errcode: bool, has_control_character: bool) -> String {
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else { return String::new() };
    if has_text_errcode && let Some(errcode) = value.get_mut("errcode") {
        *errcode = Value::String(errcode.to_string());
    }
    let text = value.to_string();
    if has_control_character {
        text.replacen(r#""errmsg":""#, "\"errmsg\":\"\u{b}", 1)
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(rid: &str) -> Mark {
        let peer = "127.0.0.1".parse().unwrap();
        Mark { kind: AccountKind::MiniProgram, rid: rid.to_owned(), peer }
    }

    #[test]
    fn a_refusal_has_the_platforms_envelope() {
        let answer = refused(&Refusal::with(47001, "a \"quote\""), &mark("0-1-2"));
        let wanted = r#"{"errcode":47001,"errmsg":"data format error: a \"quote\" rid: 0-1-2"}"#;
        assert_eq!(answer.body, wanted);
        assert_eq!(answer.content_type, "application/json; encoding=utf-8");
    }

    #[test]
    fn switches_change_json_and_nothing_else() {
        let settings = Settings {
            json_type: JsonType::Plain,
            errcode_as_string: true,
            control_characters: true,
            ..Settings::default()
        };
        let answer = dressed(refused(&Refusal::new(-1), &mark("r")), false, &settings, None);
        assert_eq!(answer.content_type, "text/plain");
        assert_eq!(answer.body, "{\"errcode\":\"-1\",\"errmsg\":\"\u{b}system error rid: r\"}");
        let picture = Answer::binary("image/png", "x".into());
        assert_eq!(dressed(picture.clone(), true, &settings, None), picture);
        let odd = |oddity| {
            dressed(
                refused(&Refusal::new(-1), &mark("r")),
                false,
                &Settings::default(),
                Some(oddity),
            )
        };
        assert_eq!(odd(Oddity::Plain).content_type, "text/plain");
        assert!(odd(Oddity::StringErrcode).body.starts_with(br#"{"errcode":"-1""#));
        assert!(odd(Oddity::ControlCharacters).body.contains(&0xb));
    }
}
