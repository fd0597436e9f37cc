//! Who sells for the mini program in the Channels.

use serde_json::{Map, json};

use super::{fields, switches::Promoter};
use crate::sandbox::{
    call::Answer,
    dispatch::{CallSpec, Cx},
    refusal::Refusal,
    world::World,
};

/// Fields as in the documents of the component (read 2026-08).
pub(in crate::sandbox) const CALLS: &[CallSpec] = &[CallSpec::shop("/shop/promoter/list", list)];

/// Promoters bind themselves outside of all calls; here the switch `promoters` has them.
fn list(cx: &Cx<'_>) -> Result<Answer, Refusal> {
    let state = cx.state();
    let errcode = state.settings.component.argument_errcode;
    let (skipped, shown) = fields::page(cx.body(), MOST_SHOWN, errcode)?;
    let all = &state.settings.shop.promoters;
    let page: Vec<&Promoter> = all.iter().skip(skipped).take(shown).collect();
    Ok(cx.done(json!({ "promoters": page, "total_num": all.len() })))
}

/// A sharer makes a share card for a promoter's live, and the platform tells of it.
pub(in crate::sandbox) fn share(world: &mut World<'_>, openid: &str, kind: u64) {
    let promoter = world.state.settings.shop.promoters.first().cloned().unwrap_or_default();
    let fields = [("type", json!(kind)), ("openid", json!(openid)), ("promoter", json!(promoter))];
    let fields = Map::from_iter(fields.map(|(name, value)| (name.to_owned(), value)));
    world.tell("miniprogram_sharer_action", fields);
}

/// "Page size, at most 20".
const MOST_SHOWN: usize = 20;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::calls::bench::Bench;

    #[test]
    fn promoters_are_those_of_the_switch_in_pages() {
        let bench = Bench::new();
        let list = |page: u64, size: u64| {
            bench.post("/shop/promoter/list", &json!({"page": page, "page_size": size})).json()
        };
        assert_eq!(list(1, 20)["total_num"], 0);
        let promoters: Vec<_> = (0..3).map(|n| json!({"promoter_id": format!("p{n}")})).collect();
        bench.set(&json!({ "promoters": promoters }));
        let second = list(2, 2);
        assert_eq!(second["promoters"][0]["promoter_id"], "p2");
        assert_eq!(
            (&second["total_num"], second["promoters"].as_array().unwrap().len()),
            (&json!(3), 1)
        );
        assert_eq!(
            (&list(0, 2)["errcode"], &list(1, 21)["errcode"]),
            (&json!(40097), &json!(40097))
        );
    }

    #[test]
    fn a_share_card_is_told_of_with_its_promoter() {
        let bench = Bench::new();
        bench.set(&json!({"promoters": [{"promoter_id": "p"}]}));
        let account = bench.platform.account("shop").unwrap();
        let state = &mut *account.state();
        share(&mut World { account: &account, state, now_ms: 0 }, "o1", 1);
        let event = state.events.after(0).next().unwrap();
        assert_eq!(event.message["promoter"]["promoter_id"], "p");
        assert_eq!((&event.message["type"], &event.message["openid"]), (&json!(1), &json!("o1")));
    }
}
