//! What is measured, in which order.

use std::path::Path;

use super::{
    Outcome, growth, load, machine,
    options::{Options, Part},
    query,
    report::Report,
    retention,
    store::{Store, settings},
    traffic::{Times, Traffic},
    write,
};

/// One run.
pub(crate) struct Bench<'a> {
    pub(crate) options: &'a Options,
    /// Where files may lie.
    pub(crate) place: &'a Path,
    pub(crate) report: Report,
}

/// Measures each part that was asked for, and prints its lines as soon as they are known.
pub(crate) fn measure_all(options: &Options, place: &Path) -> Outcome<()> {
    println!("{}", machine::description());
    let bench = Bench { options, place, report: Report::default() };
    if options.wants(Part::Write) {
        write::measure(&bench)?;
    }
    if options.wants(Part::Growth) || options.wants(Part::Search) {
        bench.grow_and_search()?;
    }
    if options.wants(Part::Retention) {
        retention::measure(&bench)?;
    }
    bench.report.end();
    Ok(())
}

impl Bench<'_> {
    /// Growing leaves behind what is searched.
    fn grow_and_search(&self) -> Outcome<()> {
        let exchanges = self.options.exchanges;
        let store = Store::open(self.place, "grown", settings())?;
        let mut traffic = Traffic::new(Times::spread(exchanges))?;
        if self.options.wants(Part::Growth) {
            growth::measure(self, &store, &mut traffic)?;
        } else {
            println!("\nfilling {exchanges} exchanges at {} a second", self.options.rate);
            load::at_rate(&store, &mut traffic, self.options.rate, exchanges);
        }
        if self.options.wants(Part::Search) {
            query::measure(self, &store)?;
        }
        Ok(())
    }
}
