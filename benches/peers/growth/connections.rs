//! Connections: used in turn, all at once, or not at all.

use std::{thread::sleep, time::Duration};

use super::{
    super::{
        Outcome,
        gateway::Gateway,
        generator::{Connections, Generator},
        idle::{self, Speak},
        peer::Peer,
    },
    Bench,
    table::{Row, Table, Turn, verdict},
};

/// Kept HTTP/1.1 connections: a rate that goes over all of them in turn, and all at once.
pub(super) fn active(bench: &Bench<'_>) -> Outcome<Table> {
    let mut cases = Vec::new();
    for count in CONNECTIONS {
        let gateway = bench.gateway(&format!("connections-{count}"), 1, 1)?;
        let row = Row::new(count, &gateway, LOADS.len());
        let key = gateway.keys.first().cloned().unwrap_or_default();
        let connections = Connections { http1: count, ..Connections::default() };
        let address = gateway.running.address;
        let generator = Generator::start(bench.workshop, address, &key, connections)?;
        cases.push(Case { gateway, generator, row });
    }
    let title = format!(
        "connections: kept HTTP/1.1, 0.7 kB POST and GET; {RATE:.0} a second over all in turn, and \
         a request on each at once"
    );
    let mut table = Table::new(&title, Vec::new(), LOADS.to_vec());
    table.is_of_start = false;
    bench.rounds(&mut cases, &mut table)?;
    table.rows = cases.into_iter().map(|case| case.row).collect();
    let Some((first, more)) = table.rows.split_first() else { return Ok(table) };
    for row in more {
        // The first ones' memory is the load's, not the connections'.
        let kib = |load: usize| {
            let more = row.resident_mib[load] - first.resident_mib[load];
            more * 1024.0 / (row.size - first.size) as f64
        };
        table.remarks.push(format!(
            "{}: each connection beyond {} takes {:.1} KiB used in turn, {:.1} KiB all at once",
            row.size,
            first.size,
            kib(0),
            kib(1)
        ));
    }
    Ok(table)
}

/// Connections on which nothing happens, after one request each.
pub(super) fn idle(bench: &Bench<'_>) -> Outcome<Table> {
    let mut rows = Vec::new();
    let mut found = Vec::new();
    for count in IDLE_CONNECTIONS {
        let gateway = bench.gateway(&format!("idle-{count}"), 1, 1)?;
        let row = Row::new(count, &gateway, 0);
        let workshop = bench.workshop;
        let (kib, cpu_ms) =
            idle::while_open(workshop, &gateway.running, Speak::Http1, count, |before| {
                let rest = gateway.rest();
                let kib = rest.resident_kib.saturating_sub(before) as f64 / count as f64;
                (kib, rest.cpu_ms)
            })?;
        rows.push(row);
        found.push((count, kib, cpu_ms));
    }
    let mut table = Table::new("idle: HTTP/1.1 connections after one request each", rows, vec![]);
    table.is_of_start = false;
    for (count, kib, cpu_ms) in &found {
        table.remarks.push(format!(
            "{count}: a connection takes {kib:.1} KiB, all together {cpu_ms:.2} ms of CPU a second"
        ));
    }
    if let (Some((_, first, _)), Some((_, last, _))) = (found.first(), found.last()) {
        table.remarks.push(format!("KiB a connection: {}", verdict(last / first)));
    }
    Ok(table)
}

/// A gateway with its connections.
struct Case {
    gateway: Gateway,
    generator: Generator,
    row: Row,
}

impl Bench<'_> {
    /// Connections are opened once; sizes and loads take turns.
    fn rounds(&self, cases: &mut [Case], table: &mut Table) -> Outcome<()> {
        let nginx = Peer::Nginx.start(self.options, self.workshop, self.origin())?;
        self.nginx_cpu_us(&nginx)?;
        for _ in 0..self.options.rounds {
            let mut before = self.nginx_cpu_us(&nginx)?;
            for case in cases.iter_mut() {
                for load in 0..LOADS.len() {
                    let cpu_us = self.turn(case, load)?;
                    let behind = self.nginx_cpu_us(&nginx)?;
                    match cpu_us {
                        Ok(cpu_us) => {
                            let to_nginx = cpu_us / f64::midpoint(before, behind);
                            case.row.turns[load].push(Turn { cpu_us, to_nginx });
                        }
                        Err(words) => table.fail(case.row.size, load, &words),
                    }
                    before = behind;
                }
            }
        }
        Ok(())
    }

    /// CPU microseconds for a request while the load is on; or what failed.
    fn turn(&self, case: &mut Case, load: usize) -> Outcome<Result<f64, String>> {
        // Answers to all that are under way take so long, at a low rate.
        let settle = Duration::from_millis(300 + case.row.size as u64 / 5);
        case.generator.seen()?;
        if load == 0 {
            case.generator.hold(RATE)?;
        } else {
            case.generator.as_fast_as_it_goes()?;
        }
        sleep(settle);
        let early = case.generator.seen()?;
        let cpu = case.gateway.running.program.cpu();
        sleep(Duration::from_secs(self.options.seconds.into()));
        let seen = case.generator.seen()?;
        let used = case.gateway.running.program.cpu().saturating_sub(cpu);
        let resident = case.gateway.running.program.resident_kib();
        case.row.resident_mib[load] = resident as f64 / 1024.0;
        case.generator.pause()?;
        sleep(settle);
        let late = case.generator.seen()?;
        let done = seen.sum(|tally| tally.done);
        for seen in [early, seen, late] {
            let own = seen.sum(|tally| tally.own);
            if seen.failed() + own > 0 {
                let failed = seen.failed();
                let words = seen.words.join("; ");
                return Ok(Err(format!("{failed} failed, and {own} of our own: {words}")));
            }
        }
        Ok(Ok(used.as_secs_f64() * 1e6 / done as f64))
    }
}

const CONNECTIONS: [usize; 3] = [10, 1000, 15_000];
const IDLE_CONNECTIONS: [usize; 3] = [100, 1000, 15_000];
const LOADS: [&str; 2] = ["in turn", "at once"];
/// Well below what a gateway stands.
const RATE: f64 = 4000.0;
