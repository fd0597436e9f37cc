//! What is measured, in which order.

use super::{
    Outcome,
    idle::{self, Speak},
    latency::{self, Latency},
    load::{self, Seen, Send},
    machine,
    options::Options,
    peer::{self, Peer, Running},
    report::{Report, Sample},
    workshop::Workshop,
};

/// One thing that every peer has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scenario {
    SmallHttp1,
    SmallHttp2,
    NewConnections,
    Up,
    Down,
    Latency,
    IdleHttp1,
    IdleHttp2,
}

impl Scenario {
    /// As it stands on the command line and in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SmallHttp1 => "small-h1",
            Self::SmallHttp2 => "small-h2",
            Self::NewConnections => "new-tls",
            Self::Up => "up-1m",
            Self::Down => "down-1m",
            Self::Latency => "latency",
            Self::IdleHttp1 => "idle-h1",
            Self::IdleHttp2 => "idle-h2",
        }
    }

    /// What it is, in a line.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::SmallHttp1 => "0.7 kB POST over 64 kept HTTP/1.1 connections",
            Self::SmallHttp2 => "0.7 kB POST over HTTP/2, 200 streams at once",
            Self::NewConnections => {
                "0.7 kB POST, a new TLS connection for each, resumed as wrk does"
            }
            Self::Up => "1 MiB POST over 8 kept HTTP/1.1 connections",
            Self::Down => "GET of 1 MiB over 8 kept HTTP/1.1 connections",
            Self::Latency => "what a peer adds to a 0.7 kB POST at half of wxgate's highest rate",
            Self::IdleHttp1 => "1 000 idle HTTP/1.1 connections, after one request each",
            Self::IdleHttp2 => "1 000 idle HTTP/2 connections, after SETTINGS",
        }
    }

    /// Whether its number is one that nginx's turns right before and behind say something about.
    pub(crate) fn is_compared(self) -> bool {
        !matches!(self, Self::Latency | Self::IdleHttp1 | Self::IdleHttp2)
    }

    fn chosen(names: &[String]) -> Outcome<Vec<Self>> {
        if let Some(unknown) = names.iter().find(|name| !ALL.iter().any(|one| one.name() == **name))
        {
            let known: Vec<_> = ALL.iter().map(|one| one.name()).collect();
            return Err(
                format!("no scenario is called {unknown}; there are {}", known.join(", ")).into()
            );
        }
        let is_chosen =
            |one: &&Self| names.is_empty() || names.iter().any(|name| name == one.name());
        Ok(ALL.iter().filter(is_chosen).copied().collect())
    }
}

/// Runs every chosen scenario and prints its table as soon as it is done.
pub(crate) fn measure_all(options: &Options, workshop: &Workshop) -> Outcome<()> {
    let (scenarios, peers) = (Scenario::chosen(&options.scenario)?, Peer::chosen(&options.peer)?);
    println!("{}", machine::description());
    println!("{} rounds of {} s, medians\n", options.rounds, options.seconds);
    let origin = peer::start_origin(workshop)?;
    let mut reports = Vec::new();
    for scenario in scenarios {
        let bench = Bench { options, workshop, origin: &origin, scenario };
        let report = bench.measure(&peers)?;
        println!("{report}");
        reports.push(report);
    }
    println!("{}", super::report::budgets(&reports));
    Ok(())
}

struct Bench<'a> {
    options: &'a Options,
    workshop: &'a Workshop,
    origin: &'a Running,
    scenario: Scenario,
}

impl Bench<'_> {
    fn measure(&self, peers: &[Peer]) -> Outcome<Report> {
        let mut report = Report::new(self.scenario);
        match self.scenario {
            Scenario::IdleHttp1 => self.measure_idle(peers, Speak::Http1, &mut report)?,
            Scenario::IdleHttp2 => self.measure_idle(peers, Speak::Http2, &mut report)?,
            _ => self.measure_load(peers, &mut report)?,
        }
        Ok(report)
    }

    /// Each peer starts anew for it: what was used before is free memory for what comes.
    fn measure_idle(&self, peers: &[Peer], speak: Speak, report: &mut Report) -> Outcome<()> {
        for _ in 0..self.options.rounds.min(IDLE_ROUNDS) {
            for peer in peers {
                let running = peer.start(self.options, self.workshop, self.origin.address)?;
                let idle_kib =
                    idle::kib_a_connection(self.workshop, &running, speak, IDLE_CONNECTIONS)?;
                let resident_mib = running.program.resident_kib() as f64 / 1024.0;
                report.add(*peer, Sample { idle_kib, resident_mib, ..Sample::default() });
            }
        }
        Ok(())
    }

    /// All peers run all the while, and take turns.
    fn measure_load(&self, peers: &[Peer], report: &mut Report) -> Outcome<()> {
        let mut running = Vec::new();
        for peer in peers {
            running.push((*peer, peer.start(self.options, self.workshop, self.origin.address)?));
        }
        let rate = self.warm(&running)? / 2;
        for _ in 0..self.options.rounds {
            self.round(&running, rate, report)?;
        }
        Ok(())
    }

    /// Every peer has its turn between two turns of nginx, and is compared with their mean: the
    /// speed of a shared machine drifts by a third within seconds, and neighbours drift together.
    fn round(&self, running: &[(Peer, Running)], rate: u32, report: &mut Report) -> Outcome<()> {
        let Some(((_, nginx), others)) = running.split_first() else { return Ok(()) };
        let mut before = self.sample(nginx, rate)?;
        report.add(Peer::Nginx, before);
        for (peer, running) in others {
            let sample = self.sample(running, rate)?;
            let after = self.sample(nginx, rate)?;
            report.add_between(*peer, sample, before, after);
            report.add(Peer::Nginx, after);
            before = after;
        }
        Ok(())
    }

    /// Connections, caches and memory of a peer get their usual size. The highest rate that the
    /// last peer stands, requests a second.
    fn warm(&self, running: &[(Peer, Running)]) -> Outcome<u32> {
        let mut rate = 0;
        for (_, peer) in running {
            let seen =
                load::wrk(self.workshop, peer.address, Send::Small, CONNECTIONS, WARM_SECONDS)?;
            rate = (seen.requests as f64 / seen.seconds) as u32;
        }
        Ok(rate)
    }

    fn sample(&self, peer: &Running, rate: u32) -> Outcome<Sample> {
        // Not between the two looks at the peer's CPU time.
        let direct = match self.scenario {
            Scenario::Latency => self.latency(self.origin, rate)?,
            _ => Latency::default(),
        };
        let cpu = peer.program.cpu();
        let mut sample = match self.scenario {
            Scenario::SmallHttp1 => Sample::of(self.wrk(peer, Send::Small, CONNECTIONS)?),
            Scenario::NewConnections => {
                Sample::of(self.wrk(peer, Send::SmallAlone, CONNECTIONS)?)
            }
            Scenario::Up => Sample::of(self.wrk(peer, Send::Mebibyte, CONNECTIONS_LARGE)?),
            Scenario::Down => Sample::of(self.wrk(peer, Send::Nothing, CONNECTIONS_LARGE)?),
            Scenario::SmallHttp2 => {
                let requests = u64::from(self.options.seconds) * HTTP2_REQUESTS_A_SECOND;
                Sample::of(load::h2load(self.workshop, peer.address, requests)?)
            }
            Scenario::Latency => Sample::added(self.latency(peer, rate)?, direct),
            Scenario::IdleHttp1 | Scenario::IdleHttp2 => Sample::default(),
        };
        if sample.requests > 0 {
            let used = peer.program.cpu().saturating_sub(cpu);
            sample.cpu_us = used.as_secs_f64() * 1e6 / sample.requests as f64;
        }
        sample.resident_mib = peer.program.resident_kib() as f64 / 1024.0;
        Ok(sample)
    }

    fn wrk(&self, peer: &Running, send: Send, connections: u32) -> Outcome<Seen> {
        load::wrk(self.workshop, peer.address, send, connections, self.options.seconds)
    }

    fn latency(&self, peer: &Running, rate: u32) -> Outcome<Latency> {
        // One second more, because the first does not count.
        latency::at_rate(self.workshop, peer.address, rate, self.options.seconds + 1)
    }
}

const ALL: [Scenario; 8] = [
    Scenario::SmallHttp1,
    Scenario::SmallHttp2,
    Scenario::NewConnections,
    Scenario::Up,
    Scenario::Down,
    Scenario::Latency,
    Scenario::IdleHttp1,
    Scenario::IdleHttp2,
];

const CONNECTIONS: u32 = 64;
const CONNECTIONS_LARGE: u32 = 8;
const IDLE_CONNECTIONS: usize = 1000;
/// Memory hardly varies.
const IDLE_ROUNDS: u32 = 3;
const WARM_SECONDS: u32 = 1;
/// About what the peers stand, so that a round takes about as long as the others.
const HTTP2_REQUESTS_A_SECOND: u64 = 40_000;
