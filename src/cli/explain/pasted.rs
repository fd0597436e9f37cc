//! The errcode and its text out of whatever was pasted.

use serde_json::Value;

/// What stands in a pasted error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pasted {
    /// The errcode.
    pub(super) errcode: i64,
    /// What the platform wrote beside it; empty for a bare number.
    pub(super) errmsg: String,
}

/// Reads a bare number, `40164 invalid ip …`, the JSON of an answer, a line of an SDK's exception
/// (`errcode: 40164, errmsg: …`); none where the text is words to look for.
pub(super) fn read(text: &str) -> Option<Pasted> {
    let text = text.trim();
    leading(text).or_else(|| json(text)).or_else(|| labelled(text))
}

/// `40164`, `-1`, `40164: invalid ip …`, `40164 invalid ip …`.
fn leading(text: &str) -> Option<Pasted> {
    let (number, rest) = split_number(text)?;
    if rest.starts_with(|c: char| c.is_alphanumeric() || c == '.' || c == '/') {
        return None;
    }
    let errmsg = rest.trim_start_matches([':', ',', ' ', '-', '：', '，', '\t']).to_owned();
    Some(Pasted { errcode: number, errmsg })
}

/// The object may stand inside of other text, and the code may be a string.
fn json(text: &str) -> Option<Pasted> {
    let body = text.get(text.find('{')?..=text.rfind('}')?)?;
    let answer: Value = serde_json::from_str(body).ok()?;
    let answer = answer.get("base_resp").unwrap_or(&answer);
    let field = |names: [&str; 2]| names.iter().find_map(|name| answer.get(name));
    let errcode = match field(["errcode", "err_code"])? {
        Value::Number(number) => number.as_i64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    let errmsg = field(["errmsg", "err_msg"]).and_then(Value::as_str).unwrap_or_default();
    Some(Pasted { errcode, errmsg: errmsg.to_owned() })
}

/// `errcode` in any spelling, then a number within a few signs.
fn labelled(text: &str) -> Option<Pasted> {
    // ASCII letters only are changed, so positions stay the same.
    let lower = text.to_ascii_lowercase();
    let label = LABELS.iter().find_map(|label| lower.find(label).map(|at| at + label.len()))?;
    let behind = text.get(label..)?;
    let digits = behind.find(|c: char| c.is_ascii_digit() || c == '-')?;
    if digits > SIGNS_BETWEEN || behind.get(..digits)?.chars().any(char::is_alphanumeric) {
        return None;
    }
    let (errcode, rest) = split_number(behind.get(digits..)?)?;
    Some(Pasted { errcode, errmsg: rest.trim_matches(['"', '\'', ',', ' ', '}', ')']).to_owned() })
}

fn split_number(text: &str) -> Option<(i64, &str)> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let digits = unsigned.find(|c: char| !c.is_ascii_digit()).unwrap_or(unsigned.len());
    let end = text.len() - unsigned.len() + digits;
    let (number, rest) = text.split_at(end);
    Some((number.parse().ok()?, rest))
}

const LABELS: [&str; 4] = ["errcode", "err_code", "error code", "错误码"];

/// `": "` and the like.
const SIGNS_BETWEEN: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errcode_is_found_however_it_was_pasted() {
        let ip = "invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist rid: 6-7-8";
        for (text, errcode, errmsg) in [
            ("40164".to_owned(), 40_164, ""),
            (" -1 ".to_owned(), -1, ""),
            ("-94010".to_owned(), -94_010, ""),
            (format!("40164 {ip}"), 40_164, ip),
            (format!("40164: {ip}"), 40_164, ip),
            (format!(r#"{{"errcode":40164,"errmsg":"{ip}"}}"#), 40_164, ip),
            (r#"got {"errcode":"45009","errmsg":"x"} from WeChat"#.to_owned(), 45_009, "x"),
            (r#"{"base_resp":{"err_code":40003,"err_msg":"y"}}"#.to_owned(), 40_003, "y"),
            (
                format!("WeChatClientException: Error code: 40164, message: {ip}"),
                40_164,
                &*format!("message: {ip}"),
            ),
            (
                "{errcode=40001, errmsg=invalid credential}".to_owned(),
                40_001,
                "errmsg=invalid credential",
            ),
            ("错误码：45011".to_owned(), 45_011, ""),
        ] {
            let pasted = read(&text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((pasted.errcode, pasted.errmsg.as_str()), (errcode, errmsg), "{text}");
        }
    }

    #[test]
    fn words_are_no_errcode() {
        for words in [
            "",
            "whitelist",
            "白名单",
            "errcode",
            "api2 40164x",
            "1.2.3.4",
            "{}",
            "-",
            "42x",
            "errcode of ip 10.0.0.1",
            "{\"errmsg\":\"x\"}",
            "99999999999999999999",
        ] {
            assert_eq!(read(words), None, "{words}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "(?s).{0,80}") {
            let _ = read(&text);
            let _ = read(&format!("errcode{text}"));
            let _ = read(&format!("-{text}"));
        }
    }
}
