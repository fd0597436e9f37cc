//! The lives of tokens for people: what `wxgate token history` prints.

use serde_json::Value;

use super::{
    moment::Zone,
    shown::{dash, list, short_slot, text},
    verdict::Speech,
};
use crate::cli::output::{table, tame};

/// A table a slot, the newest first; below it what early deaths mean and what to do.
pub(super) fn shown(
    generations: &Value,
    now: jiff::Timestamp,
    zone: &Zone,
    speech: &Speech,
) -> String {
    let lives = list(generations, "generations");
    if lives.is_empty() {
        return speech.say("尚未取过令牌。", "No token was fetched yet.");
    }
    let mut slots: Vec<String> = Vec::new();
    for life in lives {
        let slot = text(life, "slot");
        if !slots.contains(&slot) {
            slots.push(slot);
        }
    }
    let mut out = speech.say(
        &format!("时间按 {}，新的在前。", zone.name()),
        &format!("Times in {}, the newest first.", zone.name()),
    );
    for slot in &slots {
        let own: Vec<&Value> = lives.iter().filter(|life| text(life, "slot") == *slot).collect();
        out.push_str(&format!("\n{}\n{}", tame(&short_slot(slot)), lives_of(&own, now, zone)));
        out.extend(own.iter().filter_map(|life| speech.verdict(life, zone)));
    }
    let advice = speech.advice(lives.iter());
    if advice.is_empty() { out } else { format!("{out}\n{advice}") }
}

fn lives_of(lives: &[&Value], now: jiff::Timestamp, zone: &Zone) -> String {
    let head = ["#", "TOKEN", "BY", "BORN", "ENDED", "WHY"];
    let mut rows = vec![head.iter().map(ToString::to_string).collect::<Vec<_>>()];
    rows.extend(lives.iter().map(|life| row(life, now, zone)));
    table(&rows)
}

fn row(life: &Value, now: jiff::Timestamp, zone: &Zone) -> Vec<String> {
    let word = |field| tame(&text(life, field));
    let time = |field| Some(text(life, field)).filter(|time| !time.is_empty());
    let is_over = |time: &String| time.parse::<jiff::Timestamp>().is_ok_and(|end| end <= now);
    // Nobody was there to write down the end of a token that ran out.
    let ran_out = time("planned_end").filter(is_over);
    let (ended, why) = match (time("ended"), time("first_refusal"), ran_out) {
        (Some(ended), _, _) => (zone.short(&ended), word("end_reason")),
        (None, Some(refused), _) => (zone.short(&refused), "refused".to_owned()),
        (None, None, Some(end)) => (zone.short(&end), "expired".to_owned()),
        (None, None, None) => (dash(), "in use".to_owned()),
    };
    let by = match word("asked_by") {
        asked_by if asked_by.is_empty() => word("fetched_by"),
        asked_by => format!("{}, {asked_by}", word("fetched_by")),
    };
    let number = life.get("generation").map(Value::to_string).unwrap_or_default();
    vec![number, word("fingerprint"), by, zone.short(&text(life, "born")), ended, why]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{base::kind::Language, cli::token::moment::tests::beijing};

    fn life(generation: u64, slot: &str) -> Value {
        json!({
            "generation": generation, "slot": slot, "fingerprint": "fp:9c1e",
            "fetched_by": "stable", "asked_by": "replacement", "born": "2026-11-22T04:00:00Z",
            "planned_end": "2026-11-22T06:00:00Z", "ended": null, "end_reason": null,
            "last_good": null, "first_refusal": null, "errcode": null, "verdict": null,
            "foreign_fetch": null, "explanation": null,
        })
    }

    fn printed(lives: &[Value], now: &str) -> String {
        let generations = json!({ "generations": lives });
        let speech = Speech::new(Language::En);
        shown(&generations, now.parse().unwrap(), &beijing(), &speech)
    }

    #[test]
    fn each_account_has_a_table_within_80_columns() {
        let mut forced = life(123_456, "shop~sandbox/token");
        forced["fetched_by"] = json!("forced");
        forced["end_reason"] = json!("discarded");
        forced["ended"] = json!("2026-11-22T05:00:00Z");
        let text = printed(
            &[life(9, "shop/token"), forced, life(3, "shop/token")],
            "2026-11-22T05:00:00Z",
        );
        assert!(text.starts_with("Times in Asia/Shanghai, the newest first.\n\nshop\n#"), "{text}");
        let row = text.lines().find(|line| line.starts_with("9 ")).unwrap();
        assert_eq!(row, "9  fp:9c1e  stable, replacement  11-22 12:00:00  -      in use");
        assert!(text.contains("\nshop~sandbox\n") && text.contains("11-22 13:00:00  discarded"));
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(80), "{widest:?} columns:\n{text}");
        assert!(!text.contains("What to do"), "{text}");
    }

    #[test]
    fn a_token_that_nobody_saw_end_is_told_as_what_it_is() {
        let mut refused = life(2, "shop/token");
        refused["first_refusal"] = json!("2026-11-22T04:30:00Z");
        let text = printed(&[refused, life(1, "shop/token")], "2026-11-22T07:00:00Z");
        assert!(text.contains("11-22 12:30:00  refused"), "{text}");
        assert!(text.contains("11-22 14:00:00  expired"), "{text}");
        assert_eq!(printed(&[], "2026-11-22T07:00:00Z"), "No token was fetched yet.\n");
    }
}
