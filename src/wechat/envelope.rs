//! The envelope of an answer: `errcode`, `errmsg` and the rid in it.

use super::{
    envelope_scan::{Found, Stop, scan},
    json_text, rid,
};

/// What [`peek`] read of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The code of the top level, else that of `base_resp`; none if there is none, which
    /// means success as long as the state is [`Peeked::Json`].
    pub errcode: Option<i64>,
    /// The text beside it, at most [`ERRMSG_MOST_BYTES`] of it.
    pub errmsg: Option<String>,
    /// The platform's number for the call, as it stands in `errmsg`.
    pub rid: Option<String>,
    /// How far the reading came.
    pub state: Peeked,
}

/// How far an answer was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peeked {
    /// A JSON object or array: the whole top level, or enough of it.
    Json,
    /// Something else: a picture, a page, plain text.
    Binary,
    /// Not decided: more bytes are needed. What was found so far is there, and stays.
    Incomplete,
    /// Began as JSON and is not, or was cut off. What was found before is there.
    Broken,
    /// No byte but white space.
    Empty,
}

/// Reads the envelope from the first bytes of an answer, without parsing the rest.
///
/// The code is looked for at the top level and in `base_resp` (`ret` or `errcode`), nowhere
/// deeper. An array has none and is decided at once. Once the state is not `Incomplete`, more
/// bytes of the same answer change nothing.
#[must_use]
pub fn peek(bytes: &[u8], is_complete: bool) -> Envelope {
    let mut found = Found::default();
    let state = look(bytes, is_complete, &mut found);
    // The top level is the platform's own shape; `base_resp` comes from services behind it.
    let from_base = found.errcode.is_none() && found.base_errcode.is_some();
    let errcode = found.errcode.or(found.base_errcode);
    let errmsg = if from_base {
        found.base_errmsg.or(found.errmsg)
    } else {
        found.errmsg.or(found.base_errmsg)
    };
    let mut errmsg = errmsg.map(json_text::decode);
    let rid = errmsg.as_deref().and_then(rid::find).map(str::to_owned);
    if let Some(text) = &mut errmsg {
        cut(text, ERRMSG_MOST_BYTES);
    }
    Envelope { errcode, errmsg, rid, state }
}

/// Cuts at the last character that ends within `most_bytes`.
fn cut(text: &mut String, most_bytes: usize) {
    let mut end = most_bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
}

/// The longest text that is kept of an `errmsg`; the platform's own have a few hundred bytes.
pub const ERRMSG_MOST_BYTES: usize = 4096;

fn look<'a>(bytes: &'a [u8], is_complete: bool, found: &mut Found<'a>) -> Peeked {
    let cut = if is_complete { Peeked::Broken } else { Peeked::Incomplete };
    if !is_complete && !bytes.is_empty() && bytes.len() < BOM.len() && BOM.starts_with(bytes) {
        return Peeked::Incomplete;
    }
    let body = bytes.strip_prefix(BOM).unwrap_or(bytes).trim_ascii_start();
    match body.first() {
        None if is_complete => Peeked::Empty,
        None => Peeked::Incomplete,
        Some(b'[') => Peeked::Json,
        Some(b'{') => match scan(body, found) {
            Ok(()) | Err(Stop::Enough) => Peeked::Json,
            Err(Stop::Cut) => cut,
            Err(Stop::Broken) => Peeked::Broken,
        },
        Some(_) => Peeked::Binary,
    }
}

/// The byte order mark that some editors and frameworks put before their JSON.
const BOM: &[u8] = b"\xEF\xBB\xBF";

#[cfg(test)]
mod tests {
    use super::*;

    fn code(body: &str) -> (Option<i64>, Peeked) {
        let envelope = peek(body.as_bytes(), true);
        (envelope.errcode, envelope.state)
    }

    #[test]
    fn the_code_is_read_from_the_top_level_in_every_shape_the_platform_sends() {
        for (body, expected) in [
            (r#"{"errcode":40001,"errmsg":"x"}"#, Some(40001)),
            (r#"{"errmsg":"x","errcode":-1}"#, Some(-1)),
            (r#"{"errcode":"0"}"#, Some(0)),
            (r#"{"errcode":" 45009 "}"#, Some(45009)),
            (r#"{ "errcode" : 0 , "a" : [1,{"b":2}] }"#, Some(0)),
            (r#"{"err\u0063ode":1}"#, Some(1)),
            (r#"{"errcode":268490009}"#, Some(268_490_009)),
            (r#"{"errcode":40001.0}"#, Some(40001)),
            ("\u{FEFF}\n{\"errcode\":7}", Some(7)),
            ("{\"a\":\"\u{1}\n\t\",\"errcode\":8}", Some(8)),
            (r#"{"base_resp":{"ret":-3,"errmsg":"e"}}"#, Some(-3)),
            (r#"{"base_resp":{"errcode":5},"x":1}"#, Some(5)),
            (r#"{"base_resp":{"ret":9},"errcode":6}"#, Some(6)),
            (r#"{"id":12345678901234567890123,"errcode":4}"#, Some(4)),
        ] {
            assert_eq!(code(body), (expected, Peeked::Json), "{body}");
        }
    }

    #[test]
    fn a_code_elsewhere_is_not_the_code_of_the_answer() {
        for body in [
            "{}",
            "[]",
            r#"[{"errcode":1}]"#,
            r#"{"data":{"errcode":1}}"#,
            r#"{"list":[{"errcode":1,"errmsg":"no"}],"total":1}"#,
            r#"{"a":"\"errcode\":1"}"#,
            r#"{"a":"}","b":"{\"errcode\":1}"}"#,
            r#"{"base_resp":{"x":{"errcode":1,"ret":1}}}"#,
            r#"{"x":{"base_resp":{"ret":1}}}"#,
            r#"{"base_resp":[{"ret":1}]}"#,
            r#"{"errcode":null}"#,
            r#"{"errcode":true}"#,
            r#"{"errcode":{"errcode":1}}"#,
            r#"{"errcode":"ok"}"#,
            r#"{"errcode":99999999999999999999}"#,
            r#"{"errcode":1.5}"#,
            r#"{"errcodes":1,"xerrcode":2,"Errcode":3}"#,
        ] {
            assert_eq!(code(body), (None, Peeked::Json), "{body}");
        }
    }

    #[test]
    fn the_rid_is_found_and_the_text_decoded() {
        let body = r#"{"errcode":40164,"errmsg":"invalid ip 1.2.3.4 \u4e2d, not in whitelist rid: 658cff8e-7783352d-44cb33e5"}"#;
        let envelope = peek(body.as_bytes(), false);
        assert_eq!(envelope.rid.as_deref(), Some("658cff8e-7783352d-44cb33e5"));
        assert!(envelope.errmsg.unwrap().starts_with("invalid ip 1.2.3.4 中, not"));
        let none = peek(br#"{"errcode":1,"errmsg":"hint: [KJZfAa0644e575]"}"#, true);
        assert_eq!(none.rid, None);
    }

    #[test]
    fn what_is_no_json_is_told_from_broken_and_empty() {
        for (body, state) in [
            (&b""[..], Peeked::Empty),
            (b" \r\n", Peeked::Empty),
            (b"\xEF\xBB\xBF", Peeked::Empty),
            (b"\xFF\xD8\xFF\xE0", Peeked::Binary),
            (b"<html>", Peeked::Binary),
            (b"success", Peeked::Binary),
            (b"\xEF\xBB", Peeked::Binary),
            (b"\x00{\"errcode\":1}", Peeked::Binary),
            (b"{\\rtf1", Peeked::Broken),
            (b"{errcode:1}", Peeked::Broken),
            (b"{\"a\" 1}", Peeked::Broken),
            (b"{\"a\":<b>}", Peeked::Broken),
            (b"{\"a\":1", Peeked::Broken),
            (b"{", Peeked::Broken),
        ] {
            assert_eq!(peek(body, true).state, state, "{body:?}");
        }
    }

    #[test]
    fn a_cut_answer_waits_for_more_and_keeps_what_it_has() {
        for body in
            ["", " ", "\u{FEFF}", "{", r#"{"errcode":4000"#, r#"{"errcode":40001,"errmsg":"inv"#]
        {
            assert_eq!(peek(body.as_bytes(), false).state, Peeked::Incomplete, "{body}");
        }
        assert_eq!(peek(b"\xEF\xBB", false).state, Peeked::Incomplete);
        assert_eq!(peek(br#"{"errcode":4000"#, false).errcode, None, "a digit may follow");
        let cut = peek(br#"{"errcode":40001,"errmsg":"inv"#, true);
        assert_eq!((cut.errcode, cut.state), (Some(40001), Peeked::Broken));
    }

    #[test]
    fn reading_stops_when_both_are_known() {
        let early = peek(br#"{"errcode":0,"errmsg":"ok","data":[[[[ "#, false);
        assert_eq!((early.errcode, early.state), (Some(0), Peeked::Json));
    }

    #[test]
    fn bytes_of_another_encoding_do_not_hide_the_code() {
        let envelope =
            peek(b"{\"errmsg\":\"\xb2\xbb\xba\xcf\xb7\xa8\x01\",\"errcode\":40013}", true);
        assert_eq!((envelope.errcode, envelope.state), (Some(40013), Peeked::Json));
        assert!(envelope.errmsg.unwrap().contains('\u{FFFD}'));
    }

    #[test]
    fn a_very_deep_answer_needs_no_stack_and_a_very_long_text_is_cut() {
        let deep =
            format!("{{\"a\":{}{},\"errcode\":3}}", "[".repeat(200_000), "]".repeat(200_000));
        assert_eq!(code(&deep), (Some(3), Peeked::Json));
        let long = format!(r#"{{"errcode":1,"errmsg":"{}"}}"#, "中".repeat(5000));
        let text = peek(long.as_bytes(), true).errmsg.unwrap();
        assert!(text.len() <= ERRMSG_MOST_BYTES && text.len() > ERRMSG_MOST_BYTES - 4);
    }
}
