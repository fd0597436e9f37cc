//! The audit of the scene group.

use serde_json::{Map, json};

use super::access::SCENE_GROUP;
use crate::sandbox::{due::Due, world::World};

/// Begins an audit, also anew after one that failed. While one runs, nothing changes.
pub(in crate::sandbox) fn apply(world: &mut World<'_>) {
    let scene = world.state.shop.access.scene();
    if matches!(scene.status, 0 | 1) {
        return;
    }
    scene.status = 0;
    scene.reason.clear();
    scene.applied += 1;
    let applied = scene.applied;
    let delay_ms = i64::from(world.state.settings.component.audit_delay_s) * 1000;
    world.later(delay_ms, Due::SceneAudit { applied });
}

/// Decides as the switch says, unless the audit was decided already.
pub(in crate::sandbox) fn decide_due(world: &mut World<'_>, applied: u32) {
    let scene = world.state.shop.access.scene();
    if scene.status == 0 && scene.applied == applied {
        let reason = world.state.settings.component.audit_reject_reason.clone();
        decide(world, reason.as_deref());
    }
}

/// Passes, or fails for the reason; tells of it.
pub(in crate::sandbox) fn decide(world: &mut World<'_>, reject_reason: Option<&str>) {
    let scene = world.state.shop.access.scene();
    scene.status = if reject_reason.is_some() { 2 } else { 1 };
    reject_reason.unwrap_or("审核通过").clone_into(&mut scene.reason);
    let body = json!({
        "group_id": 1,
        "name": SCENE_GROUP,
        "reason": scene.reason,
        "scene_group_ext_list": scene.ext_json(),
    });
    let fields = Map::from_iter([("SceneGroupAudit".to_owned(), body)]);
    world.tell("open_product_scene_group_audit", fields);
}
