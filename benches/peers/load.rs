//! Load from wrk (HTTP/1.1) and h2load (HTTP/2), and what they counted.

use std::{fmt::Write as _, net::SocketAddr, path::Path, process::Command};

use super::{
    Outcome, configs,
    process::{Core, command},
    workshop::{Workshop, bodies},
};

/// What a generator saw.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) requests: u64,
    pub(crate) seconds: f64,
    /// Answers other than 2xx, and requests without any.
    pub(crate) failed: u64,
}

/// What wrk sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Send {
    /// 0.7 kB, one of many.
    Small,
    /// The same, and the connection ends with it.
    SmallAlone,
    /// A mebibyte.
    Mebibyte,
    /// Nothing; a mebibyte comes back.
    Nothing,
}

/// wrk with one thread for `seconds`.
pub(crate) fn wrk(
    workshop: &Workshop,
    address: SocketAddr,
    send: Send,
    connections: u32,
    seconds: u32,
) -> Outcome<Seen> {
    let script = workshop.write(&format!("{send:?}.lua"), script(workshop, send))?;
    wrk_with(&script, address, connections, seconds)
}

/// wrk with a script that is there already and ends with [`DONE`].
pub(crate) fn wrk_with(
    script: &Path,
    address: SocketAddr,
    connections: u32,
    seconds: u32,
) -> Outcome<Seen> {
    let mut wrk = command(Core::Rest, "wrk");
    wrk.arg("-t1").arg(format!("-c{connections}")).arg(format!("-d{seconds}s"));
    wrk.arg("--timeout").arg("10s").arg("-s").arg(script).arg(format!("https://{address}"));
    let text = output(wrk)?;
    let line = text.lines().find_map(|line| line.strip_prefix("SEEN "));
    let numbers: Vec<u64> =
        line.unwrap_or_default().split(' ').filter_map(|number| number.parse().ok()).collect();
    match numbers[..] {
        [requests, micros, failed] => Ok(Seen { requests, seconds: micros as f64 / 1e6, failed }),
        _ => Err(format!("wrk says:\n{text}").into()),
    }
}

/// h2load with one thread until `requests` are done. Each connection makes fewer than the
/// thousands after which servers say good-bye, because h2load does not connect again.
pub(crate) fn h2load(workshop: &Workshop, address: SocketAddr, requests: u64) -> Outcome<Seen> {
    let clients = requests.div_ceil(H2_REQUESTS_A_CLIENT).max(H2_CLIENTS_LEAST);
    let mut h2load = command(Core::Rest, "h2load");
    h2load
        .arg("-t1")
        .arg(format!("-c{clients}"))
        .arg(format!("-m{}", H2_STREAMS / clients.min(H2_STREAMS)));
    h2load.arg(format!("-n{requests}")).arg("-d").arg(workshop.file("body.json"));
    for header in headers(workshop) {
        h2load.arg("-H").arg(header);
    }
    h2load.arg(format!("https://localhost:{}{}", address.port(), configs::UP));
    let text = output(h2load)?;
    let seen = read_h2load(&text).ok_or_else(|| format!("h2load says:\n{text}"))?;
    Ok(seen)
}

/// `finished in 2.93s, …`, `requests: … 160000 succeeded, 0 failed, …`, `status codes: 160000 2xx, …`.
fn read_h2load(text: &str) -> Option<Seen> {
    let after = |start: &str| text.lines().find_map(|line| line.strip_prefix(start));
    let took = after("finished in ")?.split(',').next()?;
    let seconds = match took.strip_suffix("ms") {
        Some(ms) => ms.parse::<f64>().ok()? / 1e3,
        None => took.strip_suffix('s')?.parse().ok()?,
    };
    let count = |list: &str, what: &str| -> Option<u64> {
        list.split(", ").find_map(|one| one.trim().strip_suffix(what)?.trim().parse().ok())
    };
    let total = count(after("requests: ")?, " total")?;
    let good = count(after("status codes: ")?, " 2xx")?;
    Some(Seen { requests: good, seconds, failed: total.saturating_sub(good) })
}

/// Headers of every request.
pub(crate) fn headers(workshop: &Workshop) -> [String; 3] {
    [
        format!("X-Api-Key: {}", workshop.key),
        "Content-Type: application/json".to_owned(),
        "User-Agent: PostmanRuntime/7.43.0".to_owned(),
    ]
}

/// Requests are put together once: the generator shares its core with the origin.
fn script(workshop: &Workshop, send: Send) -> String {
    let mut lua = String::from("local headers = { [\"Host\"] = \"localhost\",\n");
    for header in headers(workshop) {
        let (name, value) = header.split_once(": ").unwrap_or_default();
        let _ = writeln!(lua, "[\"{name}\"] = \"{value}\",");
    }
    match send {
        Send::SmallAlone => lua += "[\"Connection\"] = \"close\",\n",
        Send::Mebibyte => lua += "[\"Content-Type\"] = \"image/jpeg\",\n",
        Send::Small | Send::Nothing => {}
    }
    lua += "}\nlocal bodies = {\n";
    match send {
        Send::Small | Send::SmallAlone => {
            for body in bodies() {
                let _ = writeln!(lua, "[==[{body}]==],");
            }
        }
        Send::Mebibyte => {
            let file = workshop.file("mebibyte.bin");
            let _ = writeln!(lua, "io.open(\"{}\", \"rb\"):read(\"*a\"),", file.display());
        }
        Send::Nothing => lua += "\"\",\n",
    }
    let (method, path) = match send {
        Send::Nothing => ("GET", configs::DOWN),
        Send::Mebibyte => ("POST", configs::LARGE_UP),
        Send::Small | Send::SmallAlone => ("POST", configs::UP),
    };
    let _ = write!(
        lua,
        r#"}}
local requests, at = {{}}, 0
function init()
    for i, body in ipairs(bodies) do requests[i] = wrk.format("{method}", "{path}", headers, body) end
end
function request()
    at = at % #requests + 1
    return requests[at]
end
{DONE}"#
    );
    lua
}

fn output(mut command: Command) -> Outcome<String> {
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() {
        return Ok(text);
    }
    Err(format!("{command:?} failed:\n{text}{}", String::from_utf8_lossy(&output.stderr)).into())
}

/// Has wrk say what it saw, in a line that can be read.
pub(crate) const DONE: &str = r#"
function done(summary)
    local errors = summary.errors
    local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
    io.write(string.format("\nSEEN %d %d %d\n", summary.requests, summary.duration, failed))
end
"#;

/// Streams at once over all connections.
const H2_STREAMS: u64 = 200;
const H2_CLIENTS_LEAST: u64 = 20;
const H2_REQUESTS_A_CLIENT: u64 = 8000;
