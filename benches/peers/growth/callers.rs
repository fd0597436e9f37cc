//! Accounts and keys: the load goes to one of them, or to all in turn.

use std::{fmt::Write as _, path::PathBuf};

use tokio::time::Instant;

use super::{
    super::{
        Outcome, configs,
        gateway::{Gateway, account},
        load::{self, Seen, Send},
        peer::{Peer, Running},
        workshop::bodies,
    },
    Bench,
    table::{Row, Table, Turn},
};

/// More and more accounts, each with a secret, a token and connections of its own.
pub(super) fn accounts(bench: &Bench<'_>) -> Outcome<Table> {
    let mut cases = Vec::new();
    for count in ACCOUNTS {
        let gateway = bench.gateway("accounts", count, 1)?;
        let row = Row::new(count, &gateway, LOADS.len());
        let key = gateway.keys.first().cloned().unwrap_or_default();
        let one = bench.targets(&format!("{count}-one"), &[(0, key.clone())])?;
        let all: Vec<_> = (0..count).map(|number| (number, key.clone())).collect();
        let all = bench.targets(&format!("{count}-all"), &all)?;
        cases.push(Case { gateway, scripts: [one, all], row });
    }
    bench.turns("accounts: 0.7 kB POST over 64 kept connections, one key", cases)
}

/// More and more keys of the database.
pub(super) fn keys(bench: &Bench<'_>) -> Outcome<Table> {
    let mut cases = Vec::new();
    for count in KEYS {
        let gateway = bench.gateway("keys", 1, count)?;
        let row = Row::new(count, &gateway, LOADS.len());
        let all: Vec<_> = gateway.keys.iter().map(|key| (0, key.clone())).collect();
        let one = bench.targets(&format!("{count}-key"), &all[..1])?;
        let all = bench.targets(&format!("{count}-keys"), &all)?;
        cases.push(Case { gateway, scripts: [one, all], row });
    }
    bench.turns("keys: 0.7 kB POST over 64 kept connections, one account", cases)
}

/// A gateway of one size with what is sent to it.
struct Case {
    gateway: Gateway,
    scripts: [PathBuf; 2],
    row: Row,
}

impl Bench<'_> {
    /// All gateways run all the while, and take turns; nginx has its turn between any two.
    fn turns(&self, title: &str, mut cases: Vec<Case>) -> Outcome<Table> {
        let nginx = Peer::Nginx.start(self.options, self.workshop, self.origin())?;
        self.nginx_cpu_us(&nginx)?;
        let mut table = Table::new(title, Vec::new(), LOADS.to_vec());
        for case in &cases {
            self.warm(case, &mut table)?;
        }
        for _ in 0..self.options.rounds {
            let mut before = self.nginx_cpu_us(&nginx)?;
            for case in &mut cases {
                for (load, script) in case.scripts.iter().enumerate() {
                    let cpu = case.gateway.running.program.cpu();
                    let seen = self.wrk(script, &case.gateway)?;
                    let used = case.gateway.running.program.cpu().saturating_sub(cpu);
                    let cpu_us = used.as_secs_f64() * 1e6 / seen.requests as f64;
                    let resident = case.gateway.running.program.resident_kib();
                    case.row.resident_mib[load] = resident as f64 / 1024.0;
                    let behind = self.nginx_cpu_us(&nginx)?;
                    if seen.failed > 0 {
                        let words = format!("{} of {} failed", seen.failed, seen.requests);
                        table.fail(case.row.size, load, &words);
                    } else {
                        let to_nginx = cpu_us / f64::midpoint(before, behind);
                        case.row.turns[load].push(Turn { cpu_us, to_nginx });
                    }
                    before = behind;
                }
            }
        }
        table.rows = cases.into_iter().map(|case| case.row).collect();
        Ok(table)
    }

    /// Calls until every account has a token; what that took is worth a remark.
    fn warm(&self, case: &Case, table: &mut Table) -> Outcome<()> {
        let (began, cpu) = (Instant::now(), case.gateway.running.program.cpu());
        let (mut requests, mut failed) = (0, 0);
        for (load, script) in case.scripts.iter().enumerate() {
            for _ in 0..WARM_TURNS_MOST {
                let seen = load::wrk_with(script, case.gateway.running.address, CONNECTIONS, 1)?;
                requests += seen.requests;
                failed += seen.failed;
                let tokens = case.gateway.metric("wxgate_token_fetches_total")?;
                if load == 0 || tokens >= case.gateway.accounts as f64 {
                    break;
                }
            }
        }
        let used = case.gateway.running.program.cpu().saturating_sub(cpu);
        table.remarks.push(format!(
            "{}: first calls took {:.0} s, {:.2} s of CPU, {requests} requests, {failed} failed",
            case.row.size,
            began.elapsed().as_secs_f64(),
            used.as_secs_f64(),
        ));
        Ok(())
    }

    fn wrk(&self, script: &std::path::Path, gateway: &Gateway) -> Outcome<Seen> {
        load::wrk_with(script, gateway.running.address, CONNECTIONS, self.options.seconds)
    }

    /// What the machine is worth just now.
    pub(super) fn nginx_cpu_us(&self, nginx: &Running) -> Outcome<f64> {
        let cpu = nginx.program.cpu();
        let seconds = self.options.seconds;
        let seen = load::wrk(self.workshop, nginx.address, Send::Small, CONNECTIONS, seconds)?;
        if seen.failed > 0 {
            return Err(format!("nginx failed {} requests", seen.failed).into());
        }
        let used = nginx.program.cpu().saturating_sub(cpu);
        Ok(used.as_secs_f64() * 1e6 / seen.requests as f64)
    }

    /// wrk's script that sends to pairs of account and key, one after the other. They stand in
    /// a file of their own: no Lua program may have a hundred thousand constants.
    fn targets(&self, name: &str, targets: &[(usize, String)]) -> Outcome<PathBuf> {
        let mut lines = String::new();
        // Bodies go along with targets, so that one target has all bodies too.
        for at in 0..targets.len().max(BODIES) {
            let Some((number, key)) = targets.get(at % targets.len().max(1)) else { break };
            let _ = writeln!(lines, "/@{}{} {key}", account(*number), configs::UP);
        }
        let list = self.workshop.write(&format!("{name}.txt"), lines)?;
        let mut lua = String::from("local headers = { [\"Host\"] = \"localhost\",\n");
        for header in load::headers(self.workshop).iter().skip(1) {
            let (name, value) = header.split_once(": ").unwrap_or_default();
            let _ = writeln!(lua, "[\"{name}\"] = \"{value}\",");
        }
        lua += "}\nlocal bodies = {\n";
        for body in bodies() {
            let _ = writeln!(lua, "[==[{body}]==],");
        }
        let _ = write!(
            lua,
            r#"}}
local targets, made, at = {{}}, {{}}, 0
function init()
    for line in io.lines("{list}") do targets[#targets + 1] = line end
    math.randomseed(os.time())
    at = math.random(#targets)
end
function request()
    at = at % #targets + 1
    if not made[at] then
        local path, key = string.match(targets[at], "(%S+) (%S+)")
        headers["X-Api-Key"] = key
        made[at] = wrk.format("POST", path, headers, bodies[at % #bodies + 1])
    end
    return made[at]
end
{done}"#,
            list = list.display(),
            done = load::DONE,
        );
        self.workshop.write(&format!("{name}.lua"), lua)
    }
}

const ACCOUNTS: [usize; 4] = [1, 10, 100, 1000];
const KEYS: [usize; 3] = [1, 1000, 100_000];
const LOADS: [&str; 2] = ["to one", "to all"];
const CONNECTIONS: u32 = 64;
const BODIES: usize = 256;
/// A second each.
const WARM_TURNS_MOST: usize = 60;
