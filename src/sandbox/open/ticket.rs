//! The ticket that a third-party platform is given each ten minutes.

use serde_json::{Map, Value};

use crate::sandbox::{due::Due, world::World};

/// Gives the next ticket, unless that is switched off, and enters the one after it.
pub(in crate::sandbox) fn deliver_due(world: &mut World<'_>) {
    if world.state.settings.open.component_tickets {
        deliver(world);
    }
    // Those of a long sleep would all be over by now: it goes on with the oldest that is not.
    let oldest_ms = world.account.now_ms().saturating_sub(LIFE_MS);
    let behind_ms = oldest_ms.saturating_sub(world.now_ms);
    world.later(EVERY_MS.max(behind_ms), Due::ComponentTicket);
}

/// Gives a ticket now.
pub(super) fn deliver(world: &mut World<'_>) {
    let ticket = world.text(88);
    let fields = [("ComponentVerifyTicket", Value::from(ticket.as_str()))];
    tell(world, "component_verify_ticket", fields);
    world.state.open.add_ticket(ticket, world.now_ms.saturating_add(LIFE_MS));
}

/// Tells the platform itself of something. Such messages have an `InfoType` and carry the
/// platform's `AppId`, where those of accounts carry `ToUserName`.
pub(super) fn tell<const N: usize>(
    world: &mut World<'_>,
    info_type: &str,
    fields: [(&str, Value); N],
) {
    let head = [
        ("AppId", Value::from(world.account.identity.app_id.as_str())),
        ("CreateTime", Value::from(world.now_ms / 1000)),
        ("InfoType", Value::from(info_type)),
    ];
    let all = head.into_iter().chain(fields);
    let message: Map<String, Value> = all.map(|(name, value)| (name.to_owned(), value)).collect();
    world.tell_message(info_type, message);
}

const EVERY_MS: i64 = 600_000;
/// 12 hours.
const LIFE_MS: i64 = 43_200_000;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{base::kind::AccountKind, sandbox::calls::bench::Bench};

    #[test]
    fn a_ticket_comes_at_once_and_then_each_ten_minutes() {
        let bench = Bench::of_kind(AccountKind::OpenPlatform);
        let told = || bench.control("GET", "events", "").1;
        let first = told()["events"][0].clone();
        assert_eq!(
            (&first["event"], &first["message"]["AppId"]),
            (&json!("component_verify_ticket"), &json!("wx1"))
        );
        assert!(
            first["message"]["CreateTime"].is_i64() && first["message"]["ToUserName"].is_null()
        );
        bench.control("POST", "clock", r#"{"advance_s":599}"#);
        assert_eq!(told()["next"], 1);
        bench.control("POST", "clock", r#"{"advance_s":3001}"#);
        assert_eq!(told()["next"], 7);
        bench.set(&json!({"component_tickets": false}));
        bench.control("POST", "clock", r#"{"advance_s":6000}"#);
        assert_eq!(told()["next"], 7);
        bench.control("POST", "reset", "");
        assert_eq!(told()["next"], 1, "a fresh platform gets its first ticket");
    }

    #[test]
    fn other_accounts_get_no_tickets() {
        assert_eq!(Bench::new().control("GET", "events", "").1["next"], 0);
    }
}
