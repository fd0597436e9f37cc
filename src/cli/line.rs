//! One exchange on one line, for people who watch.

use anstyle::{AnsiColor, Style};
use serde_json::Value;

use super::output::{paint, tame};

/// Time, key, account, method, path, status, errcode, outcome, ms, id; local time.
pub(super) fn of(exchange: &Value, color: bool) -> String {
    let text = |field| tame(text(exchange, field)).replace(['\n', '\t'], " ");
    let or_dash = |field| Some(text(field)).filter(|t| !t.is_empty()).unwrap_or_else(dash);
    let outcome = text("outcome");
    let style = style_of(&outcome);
    let number = |field: &str| exchange.get(field).and_then(Value::as_i64);
    let status = number("status").map_or_else(dash, |status| status.to_string());
    let errcode = number("errcode").map_or_else(dash, |errcode| errcode.to_string());
    let cells = [
        paint(&clock(&text("time")), DIM, color),
        format!("{:<12}", or_dash("key")),
        format!("{:<10}", or_dash("account")),
        format!("{:<4}", text("method")),
        text("path"),
        paint(&status, style, color),
        paint(&errcode, style, color),
        paint(&ended(exchange, &outcome), style, color),
        format!("{}ms", ms(exchange).map_or_else(dash, |ms| format!("{ms:.1}"))),
        paint(&text("id"), DIM, color),
    ];
    cells.join(" ")
}

/// The outcome, with the gateway's own code where there is one, and the number of tries.
fn ended(exchange: &Value, outcome: &str) -> String {
    let tries = exchange.get("attempts").and_then(Value::as_array).map_or(0, Vec::len);
    let error = text(exchange, "error");
    let mut ended = outcome.to_owned();
    if !error.is_empty() {
        ended.push_str(&format!(":{}", tame(error)));
    }
    if tries > 1 {
        ended.push_str(&format!(" x{tries}"));
    }
    ended
}

/// What its tries took together; none where nothing was sent.
fn ms(exchange: &Value) -> Option<f64> {
    let attempts = exchange.get("attempts").and_then(Value::as_array)?;
    let total = |attempt: &Value| attempt.get("ms")?.get("total")?.as_f64();
    (!attempts.is_empty()).then(|| attempts.iter().filter_map(total).sum())
}

/// `09:30:00.123` in local time; as it came where it is no time.
pub(super) fn clock(time: &str) -> String {
    time.parse::<jiff::Timestamp>().map_or_else(
        |_| time.to_owned(),
        |at| at.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S%.3f").to_string(),
    )
}

fn text<'a>(exchange: &'a Value, field: &str) -> &'a str {
    exchange.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn dash() -> String {
    "-".to_owned()
}

/// Green for what went well, yellow for the caller's and the platform's no, red for what broke.
fn style_of(outcome: &str) -> Style {
    match outcome {
        "ok" => AnsiColor::Green.on_default(),
        "request" | "business" | "quota" | "access" | "gateway" => AnsiColor::Yellow.on_default(),
        "token" | "busy" | "upstream" | "network" => AnsiColor::Red.on_default(),
        _ => DIM,
    }
}

/// Beside the point, for most of the time.
pub(super) const DIM: Style = Style::new().dimmed();

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// The documented example.
    pub(in crate::cli) fn documented() -> Value {
        json!({
            "id": "01KAN8MBSXE3TNYPDCVF6G2Q7H", "time": "2026-11-22T09:30:00.123Z", "key": "alice",
            "account": "shop", "lane": "live", "client": "203.0.113.9", "method": "POST",
            "path": "/shop/spu/add", "query": "", "status": 200, "errcode": 0, "errmsg": "ok",
            "rid": null, "outcome": "ok", "error": null,
            "attempts": [{"upstream": "https://api.weixin.qq.com", "token": "fp:9c1e", "status": 200,
                "errcode": 0, "reused": true, "ms": {"queue": 0.0, "token": 0.0, "dns": null,
                "connect": null, "tls": null, "first_byte": 41.2, "total": 41.9}}],
            "request": {"headers": [["content-type", "application/json"]], "body": "{\"id\":1}",
                "size": 8, "truncated": false},
            "response": {"headers": [], "body": "{\"errcode\":0}", "size": 13, "truncated": false},
            "replay_of": null, "note": null,
        })
    }

    #[test]
    fn an_exchange_is_one_plain_line_with_everything_that_matters() {
        let exchange = documented();
        let line = of(&exchange, false);
        let time = clock("2026-11-22T09:30:00.123Z");
        let wanted = format!(
            "{time} alice        shop       POST /shop/spu/add 200 0 ok 41.9ms 01KAN8MBSXE3TNYPDCVF6G2Q7H"
        );
        assert_eq!(line, wanted);
        assert!(time.ends_with(":00.123"), "{time}");
    }

    #[test]
    fn colours_are_added_and_nothing_else() {
        let exchange = documented();
        let (plain, coloured) = (of(&exchange, false), of(&exchange, true));
        assert!(!plain.contains('\u{1b}') && coloured.contains("\u{1b}[32m"));
        let stripped = anstream::adapter::strip_str(&coloured).to_string();
        assert_eq!(stripped, plain);
    }

    #[test]
    fn a_refusal_has_its_code_and_a_repeat_its_number_of_tries() {
        let mut exchange = documented();
        exchange["attempts"] = json!([]);
        exchange["outcome"] = json!("gateway");
        exchange["error"] = json!("lane_read_only");
        exchange["errcode"] = json!(-94031);
        exchange["status"] = json!(null);
        let line = of(&exchange, false);
        assert!(line.contains(" - -94031 gateway:lane_read_only -ms "), "{line}");
        let mut exchange = documented();
        let attempt = exchange["attempts"][0].clone();
        exchange["attempts"] = json!([attempt, attempt]);
        assert!(of(&exchange, false).contains(" ok x2 83.8ms "));
    }

    #[test]
    fn a_path_cannot_break_the_line_or_steer_the_terminal() {
        let mut exchange = documented();
        exchange["path"] = json!("/a\n\u{1b}[2J/b");
        let line = of(&exchange, false);
        assert!(line.contains("/a \u{fffd}[2J/b") && line.lines().count() == 1, "{line}");
        assert_eq!(of(&json!({}), false).lines().count(), 1);
    }
}
