//! A table with a line for each size, and what became larger from the first to the last.

use std::fmt;

use super::super::{gateway::Gateway, gateway::Rest, report::median};

/// One dimension.
pub(super) struct Table {
    pub(super) title: String,
    pub(super) rows: Vec<Row>,
    /// What each of the rows' turns was.
    pub(super) loads: Vec<&'static str>,
    /// Whether the sizes are told apart when the gateways start.
    pub(super) is_of_start: bool,
    /// What else is to be said.
    pub(super) remarks: Vec<String>,
    failures: usize,
}

/// One size.
pub(super) struct Row {
    pub(super) size: usize,
    pub(super) ready_ms: f64,
    pub(super) rest: Rest,
    /// Turns by load.
    pub(super) turns: Vec<Vec<Turn>>,
    /// Resident memory after each load, MiB; of the last round.
    pub(super) resident_mib: Vec<f64>,
}

/// A gateway's turn of load.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) cpu_us: f64,
    /// Compared with nginx right before and behind it.
    pub(super) to_nginx: f64,
}

impl Row {
    pub(super) fn new(size: usize, gateway: &Gateway, loads: usize) -> Self {
        Self {
            size,
            ready_ms: gateway.ready.as_secs_f64() * 1e3,
            rest: gateway.rest(),
            turns: vec![Vec::new(); loads],
            resident_mib: vec![f64::NAN; loads],
        }
    }

    fn cpu_us(&self, load: usize) -> f64 {
        median(self.turns[load].iter().map(|turn| turn.cpu_us).collect())
    }

    /// Each round's ratio to the same round of another size.
    fn to(&self, smallest: &Self, load: usize) -> Vec<f64> {
        let pairs = self.turns[load].iter().zip(&smallest.turns[load]);
        pairs.map(|(own, other)| own.to_nginx / other.to_nginx).collect()
    }
}

impl Table {
    pub(super) fn new(title: &str, rows: Vec<Row>, loads: Vec<&'static str>) -> Self {
        let (title, remarks) = (title.to_owned(), Vec::new());
        Self { title, rows, loads, is_of_start: true, remarks, failures: 0 }
    }

    /// Notes requests that failed: their turn is no number.
    pub(super) fn fail(&mut self, size: usize, load: usize, words: &str) {
        self.failures += 1;
        self.remarks.push(format!("no turn: {size}, {}: {words}", self.loads[load]));
    }

    pub(super) fn has_failures(&self) -> bool {
        self.failures > 0
    }

    fn write_rows(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {:>8} {:>9} {:>9} {:>10}", "size", "ready ms", "rest MiB", "rest ms/s")?;
        for load in &self.loads {
            write!(f, " | {load:>12}: {:>7} {:>7} {:>9}", "us/req", "x first", "RSS MiB")?;
        }
        writeln!(f)?;
        let Some(smallest) = self.rows.first() else { return Ok(()) };
        for row in &self.rows {
            let rest_mib = row.rest.resident_kib as f64 / 1024.0;
            let cpu = row.rest.cpu_ms;
            write!(f, "  {:>8} {:>9.0} {rest_mib:>9.1} {cpu:>10.2}", row.size, row.ready_ms)?;
            for load in 0..self.loads.len() {
                let (us, ratio) = (row.cpu_us(load), median(row.to(smallest, load)));
                let resident = row.resident_mib[load];
                write!(f, " | {:>12}  {us:>7.1} {ratio:>7.2} {resident:>9.1}", "")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }

    fn write_verdicts(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Some(first), Some(last)) = (self.rows.first(), self.rows.last()) else {
            return Ok(());
        };
        let from_to = format!("from {} to {}", first.size, last.size);
        if self.is_of_start {
            let memory = last.rest.resident_kib as f64 / first.rest.resident_kib as f64;
            let more = last.rest.resident_kib.saturating_sub(first.rest.resident_kib);
            let each = more as f64 / last.size.saturating_sub(first.size).max(1) as f64;
            writeln!(f, "  start, {from_to}: {}", verdict(last.ready_ms / first.ready_ms))?;
            writeln!(
                f,
                "  memory at rest, {from_to}: {}, {each:.1} KiB for each more",
                verdict(memory)
            )?;
        }
        for (load, name) in self.loads.iter().enumerate() {
            let mut ratios = last.to(first, load);
            ratios.sort_unstable_by(f64::total_cmp);
            let quarter = |share: usize| {
                ratios.get(ratios.len().saturating_sub(1) * share / 4).copied().unwrap_or(f64::NAN)
            };
            let (low, high) = (quarter(1), quarter(3));
            let told = verdict(median(ratios.clone()));
            writeln!(f, "  CPU, {name}, {from_to}: {told} (half lies in {low:.2}-{high:.2})")?;
        }
        Ok(())
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.title)?;
        self.write_rows(f)?;
        self.write_verdicts(f)?;
        self.remarks.iter().try_for_each(|remark| writeln!(f, "  {remark}"))
    }
}

/// Whether the largest is about as the smallest.
pub(super) fn verdict(factor: f64) -> String {
    if factor.is_nan() {
        return "unknown".to_owned();
    }
    let word = if factor <= FLAT_MOST { "flat" } else { "GROWS" };
    format!("{word}, x{factor:.2}")
}

const FLAT_MOST: f64 = 1.15;
