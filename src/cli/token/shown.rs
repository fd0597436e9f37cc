//! Token states and lives for people.

use serde_json::Value;

use crate::{
    base::kind::Language,
    cli::output::{table, tame},
};

/// A line an account.
pub(super) fn standing(tokens: &Value) -> String {
    let head = ["SLOT", "STATE", "TOKEN", "AGE", "LEFT", "RENEWS IN", "LAST GOOD"];
    let mut rows = vec![head.iter().map(ToString::to_string).collect::<Vec<_>>()];
    let mut complaints = String::new();
    for slot in list(tokens, "tokens") {
        rows.push(row(slot));
        if let Some(error) = slot.get("last_error").filter(|error| !error.is_null()) {
            complaints.push_str(&format!(
                "{}: {}\n",
                text(slot, "slot"),
                tame(&text(error, "text"))
            ));
        }
    }
    if complaints.is_empty() { table(&rows) } else { format!("{}\n{complaints}", table(&rows)) }
}

fn row(slot: &Value) -> Vec<String> {
    let token = slot.get("token").filter(|token| !token.is_null());
    let last = slot.get("last_generation").filter(|last| !last.is_null());
    let seconds = |field| token.and_then(|token| token.get(field)).and_then(Value::as_u64);
    let fingerprint = token.or(last).map(|token| text(token, "fingerprint"));
    let last_good = token.or(last).map(|token| text(token, "last_good"));
    vec![
        text(slot, "slot"),
        text(slot, "state"),
        fingerprint.unwrap_or_else(dash),
        seconds("age_s").map_or_else(dash, short),
        seconds("expires_in_s").map_or_else(dash, short),
        seconds("renews_in_s").map_or_else(dash, short),
        last_good.filter(|at| !at.is_empty()).unwrap_or_else(dash),
    ]
}

/// What a rotation of the installation key did.
pub(super) fn rotated(told: &Value, language: Language) -> String {
    let keys = told.get("keys").and_then(Value::as_u64).unwrap_or_default();
    language.pick(
        &format!("已换上新的封存密钥（共 {keys} 把）；此前发出的替身令牌和已封存的令牌照常可用"),
        &format!("a new key seals from now on ({keys} in all); surrogates and sealed tokens of the earlier ones stay good"),
    )
}

/// A line a generation, the newest first; below it what an early death means.
pub(super) fn lives(generations: &Value) -> String {
    let list = list(generations, "generations");
    if list.is_empty() {
        return "no token was fetched yet 尚未取过令牌".to_owned();
    }
    let head = ["SLOT", "#", "TOKEN", "BY", "BORN", "ENDED", "REASON"];
    let mut rows = vec![head.iter().map(ToString::to_string).collect::<Vec<_>>()];
    let mut verdicts = String::new();
    for life in list {
        let number = life.get("generation").map(Value::to_string).unwrap_or_default();
        let or_dash =
            |field| Some(text(life, field)).filter(|t| !t.is_empty()).unwrap_or_else(dash);
        let mut row = vec![text(life, "slot"), number.clone()];
        row.extend(["fingerprint", "fetched_by", "born", "ended", "end_reason"].map(or_dash));
        rows.push(row);
        let explanation = text(life, "explanation");
        if !explanation.is_empty() {
            verdicts.push_str(&format!("#{number}: {explanation}\n"));
        }
    }
    if verdicts.is_empty() { table(&rows) } else { format!("{}\n{verdicts}", table(&rows)) }
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn text(value: &Value, field: &str) -> String {
    value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn dash() -> String {
    "-".to_owned()
}

/// `1h58m`, `4m30s`, `59s`.
fn short(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s}s"),
        (0, m, s) => format!("{m}m{s}s"),
        (h, m, _) => format!("{h}h{m}m"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_account_is_a_line_and_its_last_error_stands_below() {
        let tokens = json!({"tokens": [{
            "slot": "shop/token", "app_id": "wx1", "state": "failing", "provider": "stable",
            "token": {"fingerprint": "fp:9c1e", "age_s": 61, "expires_in_s": 7139, "renews_in_s": 9,
                      "last_good": "2026-11-22T09:30:00Z"},
            "last_error": {"text": "refused\u{1b}[0m: errcode 40164"}, "next_try_in_s": 5,
        }]});
        let shown = standing(&tokens);
        let line = shown.lines().nth(1).unwrap();
        for part in
            ["shop/token", "failing", "fp:9c1e", "1m1s", "1h58m", "9s", "2026-11-22T09:30:00Z"]
        {
            assert!(line.contains(part), "{part}: {line}");
        }
        assert!(shown.ends_with("shop/token: refused\u{fffd}[0m: errcode 40164\n"), "{shown}");
    }
}
