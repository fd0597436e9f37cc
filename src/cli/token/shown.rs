//! How tokens stand, for people: what `wxgate token show` prints.

use serde_json::{Value, json};

use super::{moment::Zone, verdict::Speech};
use crate::{
    base::kind::Language,
    cli::output::{table, tame},
};

/// A line a slot; below it what went wrong last.
pub(super) fn standing(tokens: &Value, zone: &Zone, speech: &Speech) -> String {
    let head = ["SLOT", "STATE", "TOKEN", "AGE", "LEFT", "RENEWS", "LAST GOOD"];
    let mut rows = vec![head.iter().map(ToString::to_string).collect::<Vec<_>>()];
    let slots = list(tokens, "tokens");
    rows.extend(slots.iter().map(|slot| row(slot, zone)));
    let notes: String = slots.iter().map(|slot| notes(slot, zone, speech)).collect();
    let is_timed = rows.iter().skip(1).any(|row| row.last().is_some_and(|last| *last != dash()));
    let mut out = table(&rows);
    if is_timed || !notes.is_empty() {
        let zone = zone.name();
        out.push_str(&speech.say(&format!("时间按 {zone}。"), &format!("Times in {zone}.")));
    }
    if notes.is_empty() { out } else { format!("{out}\n{notes}") }
}

fn row(slot: &Value, zone: &Zone) -> Vec<String> {
    let token = slot.get("token").filter(|token| !token.is_null());
    let last = slot.get("last_generation").filter(|last| !last.is_null());
    let seconds = |field| token.and_then(|token| token.get(field)).and_then(Value::as_u64);
    let fingerprint = token.or(last).map(|token| tame(&text(token, "fingerprint")));
    let last_good = token.or(last).map(|token| text(token, "last_good"));
    vec![
        tame(&short_slot(&text(slot, "slot"))),
        tame(&text(slot, "state")),
        fingerprint.unwrap_or_else(dash),
        seconds("age_s").map_or_else(dash, short),
        seconds("expires_in_s").map_or_else(dash, short),
        seconds("renews_in_s").map_or_else(dash, short),
        last_good.filter(|at| !at.is_empty()).map_or_else(dash, |at| zone.short(&at)),
    ]
}

/// Whether the ticket was stored, and how the platform's token stands with it.
pub(super) fn entered(answer: &Value, zone: &Zone, speech: &Speech) -> String {
    let is_stored = answer.get("stored").and_then(Value::as_bool) == Some(true);
    let said = if is_stored {
        speech.say("票据已保存", "the ticket is stored")
    } else {
        speech.say("已有更新的票据，未替换", "a newer ticket is there and stays")
    };
    match answer.get("token").filter(|token| !token.is_null()) {
        Some(token) => format!("{said}\n{}", standing(&json!({ "tokens": [token] }), zone, speech)),
        None => said,
    }
}

/// What a rotation of the installation key did.
pub(super) fn rotated(told: &Value, language: Language) -> String {
    let keys = told.get("keys").and_then(Value::as_u64).unwrap_or_default();
    language.pick(
        &format!("已换上新的封存密钥（共 {keys} 把）；此前发出的替身令牌和已封存的令牌照常可用"),
        &format!("a new key seals from now on ({keys} in all); surrogates and sealed tokens of the earlier ones stay good"),
    )
}

/// The last error, the forced refreshes of today, and the last verdict.
fn notes(slot: &Value, zone: &Zone, speech: &Speech) -> String {
    let name = text(slot, "slot");
    let name = tame(&short_slot(&name));
    let mut notes = String::new();
    if let Some(error) = slot.get("last_error").filter(|error| !error.is_null()) {
        notes.push_str(&format!("{name}: {}\n", tame(&text(error, "text"))));
    }
    let forced = slot.get("forced_today").and_then(Value::as_u64).unwrap_or(0);
    if forced > 0 {
        notes.push_str(&speech.say(
            &format!("{name}：今天（UTC+8）强制刷新 {forced} 次。"),
            &format!("{name}: forced refreshes today (UTC+8): {forced}."),
        ));
    }
    let verdict = slot.get("last_verdict").and_then(|life| speech.verdict(life, zone));
    if let Some(verdict) = verdict {
        notes.push_str(&speech.say(
            &format!("{name} 最近一次提前失效（`wxgate token history {name}`）："),
            &format!("{name}, the latest early death (`wxgate token history {name}`):"),
        ));
        notes.push_str(&verdict);
    }
    notes
}

/// `shop` for `shop/token`; other things that are kept are named in full.
pub(super) fn short_slot(slot: &str) -> String {
    let name = slot.strip_suffix("/token").unwrap_or(slot);
    name.replacen("/merchant/", "/", 1)
}

pub(super) fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value.get(field).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn text(value: &Value, field: &str) -> String {
    value.get(field).and_then(Value::as_str).unwrap_or_default().to_owned()
}

pub(super) fn dash() -> String {
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
    use super::*;
    use crate::{base::kind::Language, cli::token::moment::tests::beijing};

    fn shop() -> Value {
        json!({
            "slot": "shop/token", "app_id": "wx1", "state": "failing", "provider": "stable",
            "token": {"fingerprint": "fp:9c1e", "age_s": 61, "expires_in_s": 7139, "renews_in_s": 9,
                      "last_good": "2026-11-22T09:30:00Z"},
            "last_error": null, "next_try_in_s": 5, "forced_today": 0, "last_verdict": null,
        })
    }

    fn printed(slot: &Value) -> String {
        standing(&json!({ "tokens": [slot] }), &beijing(), &Speech::new(Language::En))
    }

    #[test]
    fn an_account_is_a_line_and_its_last_error_stands_below() {
        let mut slot = shop();
        slot["last_error"] = json!({"text": "refused\u{1b}[0m: errcode 40164"});
        let shown = printed(&slot);
        let line = shown.lines().nth(1).unwrap();
        let wanted = "shop  failing  fp:9c1e  1m1s  1h58m  9s      11-22 17:30:00";
        assert_eq!(line, wanted, "{shown}");
        assert!(shown.contains("\nTimes in Asia/Shanghai.\n"), "{shown}");
        assert!(shown.ends_with("shop: refused\u{fffd}[0m: errcode 40164\n"), "{shown}");
    }

    #[test]
    fn the_last_verdict_and_forced_refreshes_stand_below() {
        let mut slot = shop();
        slot["forced_today"] = json!(3);
        slot["last_verdict"] = json!({
            "generation": 6, "fetched_by": "classic", "verdict": "foreign_fetch", "errcode": 40001,
            "foreign_fetch": {"after": "2026-11-22T04:01:40Z", "before": "2026-11-22T04:03:10Z"},
        });
        let shown = printed(&slot);
        for part in [
            "shop: forced refreshes today (UTC+8): 3.",
            "wxgate token history shop",
            "#6 died early (40001)",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        let quiet = printed(&shop());
        assert_eq!(quiet.lines().count(), 3, "{quiet}");
    }
}
