//! The scripts of the collection: plain `pm.*` calls that Postman, newman and Apifox document.

use std::fmt::Write as _;

use super::plan::Step;

/// Before every request: where it goes, which ids it has, what time it is.
pub(super) const EVERY_TIME: &str = "\
// 每个请求之前：去向、编号、时间。Before every request: where it goes, ids, times.
const env = pm.environment;
const toSandbox = env.get('sandbox') !== 'false';
if (!toSandbox) pm.request.headers.remove('X-Wxgate-Upstream');
if (!env.get('account')) pm.request.headers.remove('X-Wxgate-Account');
if (!env.get('run')) {
    const run = Date.now().toString(36).toUpperCase();
    env.set('run', run);
    env.set('out_product_id', 'TEA-' + run);
    env.set('out_sku_id', 'TEA-' + run + '-250G');
    env.set('out_order_id', 'SO' + run);
}
const hour = 3600000;
const day = 24 * hour;
const nowMs = Date.now() + (toSandbox ? Number(env.get('clock_offset_ms') || 0) : 0);
const seconds = (after) => String(Math.floor((nowMs + after) / 1000));
// UTC+8
const iso = (after) => new Date(nowMs + after + 8 * hour).toISOString();
const text = (after) => iso(after).slice(0, 19).replace('T', ' ');
pm.variables.set('now', text(0));
pm.variables.set('a_day_ago', text(-day));
pm.variables.set('in_a_day', text(day));
pm.variables.set('today', iso(0).slice(0, 10).replace(/-/g, ''));
pm.variables.set('rfc3339', iso(0).replace('Z', '+08:00'));
pm.variables.set('now_s', seconds(0));
pm.variables.set('in_an_hour_s', seconds(hour));
pm.variables.set('in_a_day_s', seconds(day));
pm.variables.set('in_ten_days_s', seconds(10 * day));
pm.variables.set('in_a_month_s', seconds(30 * day));";

/// What runs before one request; none where nothing has to.
pub(super) fn before(step: &Step, is_sandbox_only: bool, is_dangerous: bool) -> Option<String> {
    let why = if is_sandbox_only {
        "const skipped = pm.environment.get('sandbox') === 'false';\n\
         const why = '只用于沙箱 for the sandbox only';"
    } else if is_dangerous {
        "const skipped = pm.environment.get('sandbox') === 'false' && pm.environment.get('run_dangerous') !== 'true';\n\
         const why = '高危接口：先把 run_dangerous 设为 true / dangerous: set run_dangerous to true first';"
    } else {
        return None;
    };
    let run = if step.begins_run { "pm.environment.unset('run');\n" } else { "" };
    Some(format!("{run}{why}\n{SKIP}"))
}

/// What is looked at in the answer, and kept of it.
pub(super) fn after(step: &Step) -> String {
    let mut script = if step.picture { PICTURE.to_owned() } else { json_test(step) };
    for (variable, field) in &step.save {
        // The text and not the parsed answer: ids above 2^53 would be rounded.
        let _ = write!(
            script,
            "\n{{\n    const found = /\"{field}\"\\s*:\\s*(\"(?:[^\"\\\\]|\\\\.)*\"|[0-9]+)/.exec(pm.response.text());\n    \
             if (found) pm.environment.set('{variable}', found[1].startsWith('\"') ? JSON.parse(found[1]) : found[1]);\n    \
             pm.test('记下 keeps {variable}', () => pm.expect(pm.environment.get('{variable}')).to.be.ok);\n}}"
        );
    }
    if step.begins_run {
        script.push_str(
            "\npm.environment.set('clock_offset_ms', String(pm.response.json().unix_ms - Date.now()));",
        );
    }
    script
}

fn json_test(step: &Step) -> String {
    let mut good = vec![0];
    good.extend(&step.also);
    let good: Vec<String> = good.iter().map(ToString::to_string).collect();
    let good = if step.unsimulated {
        // What the sandbox says to a path that it does not know.
        "pm.environment.get('sandbox') === 'false' ? [0] : [40066]".to_owned()
    } else {
        format!("[{}]", good.join(", "))
    };
    format!(
        "pm.test('成功 succeeds', () => {{\n    \
         pm.expect(pm.response.code, pm.response.text()).to.eql(200);\n    \
         pm.expect(pm.response.json().errcode || 0, pm.response.text()).to.be.oneOf({good});\n}});"
    )
}

/// Older versions and other programs know no way to skip; there the error stops the request.
const SKIP: &str = "\
if (skipped) {
    if (pm.execution && pm.execution.skipRequest) pm.execution.skipRequest();
    else throw new Error(why);
}";

const PICTURE: &str = "\
pm.test('是图片 is a picture', () => {
    pm.expect(pm.response.code).to.eql(200);
    pm.expect(pm.response.headers.get('Content-Type')).to.include('image/');
});";
