//! The load: wrk, which checks every answer.

use std::{fs, path::Path, process::Stdio};

use super::{
    Options, Outcome,
    process::{Core, command},
    server::Server,
};

/// How many calls were answered with the product; an error if one was not.
pub(crate) fn run(server: &Server, token: &str, options: &Options, folder: &Path) -> Outcome<u64> {
    let script = folder.join("load.lua");
    fs::write(&script, SCRIPT)?;
    let mut wrk = command(Core::Rest, "wrk");
    wrk.arg("-t1").arg(format!("-c{}", options.connections)).arg(format!("-d{}", options.seconds));
    wrk.arg("-s").arg(&script);
    wrk.arg(format!("http://{}/shop/spu/get?access_token={token}", server.address));
    let output = wrk.stdin(Stdio::null()).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let number = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.trim().parse::<u64>().ok())
    };
    match (number("good"), number("bad")) {
        (Some(good), Some(0)) if good > 0 => Ok(good),
        _ => Err(format!("the load saw other answers:\n{text}").into()),
    }
}

const SCRIPT: &str = r#"
wrk.method = "POST"
wrk.body = '{"out_product_id":"A"}'
wrk.headers["Content-Type"] = "application/json"
local threads = {}
function setup(thread) table.insert(threads, thread) end
function init(args) good, bad = 0, 0 end
function response(status, headers, body)
  if status == 200 and string.find(body, '"errcode":0', 1, true) then
    good = good + 1
  else
    bad = bad + 1
  end
end
function done(summary, latency, requests)
  local g, b = 0, summary.errors.connect + summary.errors.read + summary.errors.timeout
  for _, thread in ipairs(threads) do g, b = g + thread:get("good"), b + thread:get("bad") end
  print("good " .. g)
  print("bad " .. b)
end
"#;
