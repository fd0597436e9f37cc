//! The values in a subscribe message.

use serde_json::Value;

use crate::sandbox::refusal::Refusal;

/// 47003 unless `data` has a good value for each of `keys`; without keys, for each that it
/// names.
pub(in crate::sandbox) fn check(data: Option<&Value>, keys: &[String]) -> Result<(), Refusal> {
    let data = data.and_then(Value::as_object).ok_or_else(|| bad("data"))?;
    for key in keys.iter().chain(data.keys().filter(|_| keys.is_empty())) {
        let value = data.get(key).and_then(|part| part.get("value"));
        let is_good = match value {
            Some(Value::String(text)) => fits(key, text),
            Some(Value::Number(number)) => fits(key, &number.to_string()),
            Some(_) | None => false,
        };
        if !is_good {
            return Err(bad(&format!("data.{key}.value")));
        }
    }
    Ok(())
}

fn bad(place: &str) -> Refusal {
    Refusal::saying(47003, format!("argument invalid! {place} invalid"))
}

/// What the first part of the key asks for: lengths and signs are from public SDKs
/// and error pages; not confirmed.
/// Times and dates come in many forms, so that only their length is looked at.
fn fits(key: &str, text: &str) -> bool {
    let length = text.chars().count();
    let has = |allowed: fn(char) -> bool| text.chars().all(allowed);
    let is_ascii = |sign: char| sign.is_ascii() && !sign.is_ascii_control();
    let most = match key.trim_end_matches(|sign: char| sign.is_ascii_digit()) {
        "thing" => 20,
        "number" if has(|sign| sign.is_ascii_digit() || matches!(sign, '.' | '-')) => 32,
        "letter" if has(|sign| sign.is_ascii_alphabetic()) => 32,
        "symbol" if !has(char::is_alphanumeric) => 5,
        "character_string" if has(is_ascii) => 32,
        "time" | "date" => 40,
        "amount" if text.contains(|sign: char| sign.is_ascii_digit()) => 24,
        "phone_number" if has(|sign| sign.is_ascii_digit() || "+-() ".contains(sign)) => 17,
        "car_number" => 8,
        "name" if has(|sign| sign.is_ascii_alphabetic() || " .".contains(sign)) => 20,
        "name" if !has(|sign| sign.is_ascii()) => 10,
        "phrase" if !text.contains(|sign: char| sign.is_ascii()) => 5,
        "enum" => 20,
        _ => 0,
    };
    (1..=most).contains(&length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_fit_the_kind_of_their_key() {
        for (key, value, is_good) in [
            ("thing1", "雨伞", true),
            ("thing1", "", false),
            ("thing12", "一二三四五六七八九十一二三四五六七八九十一", false),
            ("number2", "12.5", true),
            ("number2", "十二", false),
            ("character_string3", "2019-A", true),
            ("character_string3", "编号", false),
            ("phrase4", "已退款", true),
            ("phrase4", "ok", false),
            ("name5", "张三", true),
            ("name5", "Li Lei", true),
            ("amount6", "￥9.90", true),
            ("phone_number7", "+86-0766-66888866", true),
            ("keyword1", "x", false),
        ] {
            let data = json!({ key: { "value": value } });
            assert_eq!(check(Some(&data), &[]).is_ok(), is_good, "{key} {value}");
        }
    }

    #[test]
    fn keys_of_the_template_must_all_be_there() {
        let keys = ["thing1".to_owned(), "number2".to_owned()];
        let whole = json!({"thing1": {"value": "a"}, "number2": {"value": 5}, "x": {}});
        assert!(check(Some(&whole), &keys).is_ok());
        let refused = check(Some(&json!({"thing1": {"value": "a"}})), &keys).unwrap_err();
        assert_eq!(refused.errmsg, "argument invalid! data.number2.value invalid");
        assert_eq!(check(None, &keys).unwrap_err().errcode, 47003);
    }
}
