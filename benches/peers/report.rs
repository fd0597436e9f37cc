//! Tables of medians, and what became of the budgets.

use std::fmt::{self, Write as _};

use super::{latency::Latency, load::Seen, peer::Peer, scenario::Scenario};

/// One peer's turn.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) requests: u64,
    pub(crate) rate: f64,
    pub(crate) failed: u64,
    pub(crate) cpu_us: f64,
    pub(crate) resident_mib: f64,
    pub(crate) idle_kib: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

impl Sample {
    pub(crate) fn of(seen: Seen) -> Self {
        let rate = seen.requests as f64 / seen.seconds;
        Self { requests: seen.requests, rate, failed: seen.failed, ..Self::default() }
    }

    /// What the way through a peer adds to the way without.
    pub(crate) fn added(through: Latency, direct: Latency) -> Self {
        Self {
            failed: through.failed + direct.failed,
            p50_ms: through.p50_ms - direct.p50_ms,
            p99_ms: through.p99_ms - direct.p99_ms,
            ..Self::default()
        }
    }
}

/// All turns of one scenario.
pub(crate) struct Report {
    scenario: Scenario,
    turns: Vec<(Peer, Vec<Turn>)>,
}

/// A sample, and how it compares with nginx just before and behind it.
#[derive(Clone, Copy)]
struct Turn {
    sample: Sample,
    to_nginx: f64,
}

impl Report {
    pub(crate) fn new(scenario: Scenario) -> Self {
        Self { scenario, turns: Vec::new() }
    }

    /// Notes a turn of `peer` with nothing beside it.
    pub(crate) fn add(&mut self, peer: Peer, sample: Sample) {
        self.add_between(peer, sample, sample, sample);
    }

    /// Notes a turn of `peer` between two of nginx.
    pub(crate) fn add_between(
        &mut self,
        peer: Peer,
        sample: Sample,
        before: Sample,
        behind: Sample,
    ) {
        let (_, field) = self.subject();
        let to_nginx = field(&sample) / f64::midpoint(field(&before), field(&behind));
        let turn = Turn { sample, to_nginx };
        match self.turns.iter_mut().find(|(known, _)| *known == peer) {
            Some((_, turns)) => turns.push(turn),
            None => self.turns.push((peer, vec![turn])),
        }
    }

    fn turns(&self, peer: Peer) -> Option<&[Turn]> {
        let of_peer = self.turns.iter().find(|(known, _)| *known == peer);
        of_peer.map(|(_, turns)| turns.as_slice())
    }

    fn median(&self, peer: Peer, field: impl Fn(&Sample) -> f64) -> Option<f64> {
        Some(median(self.turns(peer)?.iter().map(|turn| field(&turn.sample)).collect()))
    }

    fn failed(&self, peer: Peer) -> u64 {
        self.turns(peer).unwrap_or_default().iter().map(|turn| turn.sample.failed).sum()
    }

    /// What the scenario is about: the number whose ratio to nginx counts.
    fn subject(&self) -> (&'static str, fn(&Sample) -> f64) {
        match self.scenario {
            Scenario::IdleHttp1 | Scenario::IdleHttp2 => ("KiB/conn", |sample| sample.idle_kib),
            Scenario::Latency => ("p50 +ms", |sample| sample.p50_ms),
            Scenario::SmallHttp1
            | Scenario::SmallHttp2
            | Scenario::NewConnections
            | Scenario::Up
            | Scenario::Down => ("CPU us/req", |sample| sample.cpu_us),
        }
    }

    /// Median over all turns.
    fn to_nginx(&self, peer: Peer) -> Option<f64> {
        Some(median(self.turns(peer)?.iter().map(|turn| turn.to_nginx).collect()))
    }

    /// Both are compared with nginx, because only that is measured next to each.
    fn ratio(&self, peer: Peer, to: Peer) -> Option<f64> {
        Some(self.to_nginx(peer)? / self.to_nginx(to)?)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (label, field) = self.subject();
        writeln!(f, "{}: {}", self.scenario.name(), self.scenario.title())?;
        let failed: Vec<String> = self
            .turns
            .iter()
            .filter(|(peer, _)| self.failed(*peer) > 0)
            .map(|(peer, _)| format!("{} failed {} requests", peer.name(), self.failed(*peer)))
            .collect();
        if !failed.is_empty() {
            return writeln!(f, "  no numbers, because {}", failed.join(" and "));
        }
        writeln!(
            f,
            "  {:<11} {:>10} {:>8} {:>15} {:>9} {:>8} {:>8}",
            "peer", label, "to nginx", "half lies in", "req/s", "RSS MiB", "p99 +ms"
        )?;
        for (peer, turns) in &self.turns {
            let is_compared = self.scenario.is_compared();
            let mut ratios: Vec<f64> = turns.iter().map(|turn| turn.to_nginx).collect();
            ratios.sort_unstable_by(f64::total_cmp);
            let quarter = |share: usize| ratios.get((ratios.len() - 1) * share / 4).copied();
            let (low, high) = (quarter(1).unwrap_or(f64::NAN), quarter(3).unwrap_or(f64::NAN));
            writeln!(
                f,
                "  {:<11} {:>10.2} {:>8} {:>15} {:>9.0} {:>8.1} {:>8.3}",
                peer.name(),
                self.median(*peer, field).unwrap_or(f64::NAN),
                if is_compared {
                    format!("{:.2}", self.to_nginx(*peer).unwrap_or(f64::NAN))
                } else {
                    "-".into()
                },
                if is_compared { format!("{low:.2}-{high:.2}") } else { "-".into() },
                self.median(*peer, |sample| sample.rate).unwrap_or(0.0),
                self.median(*peer, |sample| sample.resident_mib).unwrap_or(0.0),
                self.median(*peer, |sample| sample.p99_ms).unwrap_or(0.0),
            )?;
        }
        Ok(())
    }
}

/// Each budget whose scenario and peers were measured.
pub(crate) fn budgets(reports: &[Report]) -> String {
    let mut text = String::from("budgets:\n");
    for budget in &BUDGETS {
        let Some(report) = reports.iter().find(|report| report.scenario == budget.scenario) else {
            continue;
        };
        let found = match budget.measure {
            Measure::Ratio(to) => report.ratio(budget.peer, to),
            Measure::IdleKib => report.median(budget.peer, |sample| sample.idle_kib),
            Measure::ResidentMib => report.median(budget.peer, |sample| sample.resident_mib),
            Measure::P50 => report.median(budget.peer, |sample| sample.p50_ms),
            Measure::P99 => report.median(budget.peer, |sample| sample.p99_ms),
        };
        let Some(found) = found else { continue };
        let verdict = if found <= budget.most { "met" } else { "MISSED" };
        let _ = writeln!(
            text,
            "  {:<9} {:<10} {:<13} {found:>7.3} of {:<6} {verdict}",
            budget.scenario.name(),
            budget.peer.name(),
            budget.measure.name(),
            budget.most,
        );
    }
    text
}

/// A promise: no more than `most`.
struct Budget {
    scenario: Scenario,
    peer: Peer,
    measure: Measure,
    most: f64,
}

#[derive(Clone, Copy)]
enum Measure {
    Ratio(Peer),
    IdleKib,
    ResidentMib,
    P50,
    P99,
}

impl Measure {
    fn name(self) -> String {
        match self {
            Self::Ratio(to) => format!("x {}", to.name()),
            Self::IdleKib => "KiB".to_owned(),
            Self::ResidentMib => "RSS MiB".to_owned(),
            Self::P50 => "p50 ms".to_owned(),
            Self::P99 => "p99 ms".to_owned(),
        }
    }
}

const fn budget(scenario: Scenario, peer: Peer, measure: Measure, most: f64) -> Budget {
    Budget { scenario, peer, measure, most }
}

const BUDGETS: [Budget; 14] = [
    budget(Scenario::SmallHttp1, Peer::WxgateOff, Measure::Ratio(Peer::Nginx), 0.80),
    budget(Scenario::SmallHttp1, Peer::WxgateOff, Measure::Ratio(Peer::Bare), 1.12),
    budget(Scenario::SmallHttp1, Peer::WxgateOn, Measure::Ratio(Peer::Nginx), 0.95),
    budget(Scenario::SmallHttp1, Peer::WxgateOn, Measure::Ratio(Peer::NginxLua), 0.80),
    budget(Scenario::SmallHttp1, Peer::WxgateOn, Measure::ResidentMib, 80.0),
    budget(Scenario::SmallHttp2, Peer::WxgateOff, Measure::Ratio(Peer::Nginx), 0.90),
    budget(Scenario::SmallHttp2, Peer::WxgateOn, Measure::Ratio(Peer::Nginx), 1.05),
    budget(Scenario::NewConnections, Peer::WxgateOn, Measure::Ratio(Peer::Nginx), 1.0),
    budget(Scenario::Up, Peer::WxgateOn, Measure::Ratio(Peer::Nginx), 0.4),
    budget(Scenario::Down, Peer::WxgateOn, Measure::Ratio(Peer::Nginx), 0.4),
    budget(Scenario::Latency, Peer::WxgateOn, Measure::P50, 0.1),
    budget(Scenario::Latency, Peer::WxgateOn, Measure::P99, 0.5),
    budget(Scenario::IdleHttp1, Peer::WxgateOn, Measure::IdleKib, 24.0),
    budget(Scenario::IdleHttp2, Peer::WxgateOn, Measure::IdleKib, 24.0),
];

/// The middle one, or the mean of the two in the middle.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.get(middle), values.get(middle.wrapping_sub(1))) {
        (Some(high), Some(low)) if values.len().is_multiple_of(2) => f64::midpoint(*low, *high),
        (Some(one), _) => *one,
        (None, _) => f64::NAN,
    }
}
