//! Tickets for pages inside WeChat.

use serde_json::json;

use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    refusal::Refusal,
};

/// Servers keep the ticket for its two hours.
pub(in crate::sandbox) const CALLS: &[CallSpec] =
    &[CallSpec::get("/cgi-bin/ticket/getticket", ticket)];

/// `jsapi` for the JS-SDK, `wx_card` for cards.
fn ticket(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let kind = cx.query.value("type").unwrap_or_default();
    if !matches!(kind, "jsapi" | "wx_card") {
        return Err(Refusal::with(40097, "type is jsapi or wx_card"));
    }
    let (text, expires_in) = cx.state().tickets.current(kind, &cx.account.ids, cx.now_ms);
    Ok(Answer::json(&json!({
        "errcode": 0, "errmsg": "ok", "ticket": text, "expires_in": expires_in,
    })))
}

#[cfg(test)]
mod tests {
    use crate::sandbox::calls::bench::Bench;

    #[test]
    fn each_type_has_its_ticket_for_two_hours() {
        let bench = Bench::new();
        let ask =
            |kind: &str| bench.get_with_token("/cgi-bin/ticket/getticket", &format!("type={kind}"));
        let first = ask("jsapi").json();
        assert_eq!((&first["errcode"], &first["expires_in"]), (&0.into(), &7200.into()));
        assert_eq!(ask("jsapi").json()["ticket"], first["ticket"]);
        assert_ne!(ask("wx_card").json()["ticket"], first["ticket"]);
        bench.control("POST", "clock", r#"{"advance_s":7200}"#);
        assert_ne!(ask("jsapi").json()["ticket"], first["ticket"]);
        assert_eq!(ask("fax").errcode, Some(40097));
    }
}
