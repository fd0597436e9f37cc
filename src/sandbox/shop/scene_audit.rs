//! The audit of the scene group.

use serde_json::{Map, json};

use super::access::SCENE_GROUP;
use crate::sandbox::{due::Due, world::World};

/// Begins an audit, also anew after one that failed. While one runs, nothing changes.
pub(in crate::sandbox) fn apply(world: &mut World<'_>) {
    let scene = world.state.shop.access.scene();
    if scene.status == 0 || (scene.status == 1 && scene.failed_item.is_none()) {
        return;
    }
    scene.status = 0;
    scene.reason.clear();
    scene.failed_item = None;
    scene.applied = scene.applied.wrapping_add(1);
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
    let status = if reject_reason.is_some() { 2 } else { 1 };
    finish(world, status, reject_reason.unwrap_or("审核通过"), None);
}

/// The audit is done, but one item of the group failed, so that the scene stays closed.
pub(in crate::sandbox) fn fail_item(world: &mut World<'_>, ext_id: u64, reason: &str) {
    finish(world, 1, reason, Some(ext_id));
}

fn finish(world: &mut World<'_>, status: u8, reason: &str, failed_item: Option<u64>) {
    let scene = world.state.shop.access.scene();
    scene.status = status;
    scene.failed_item = failed_item;
    reason.clone_into(&mut scene.reason);
    let body = json!({
        "group_id": 1,
        "name": SCENE_GROUP,
        "reason": scene.reason,
        "scene_group_ext_list": scene.ext_json(),
    });
    let fields = Map::from_iter([("SceneGroupAudit".to_owned(), body)]);
    world.tell("open_product_scene_group_audit", fields);
}
