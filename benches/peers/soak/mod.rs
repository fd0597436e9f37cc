//! Mixed load at a part of the highest rate, for as long as one likes, with the capture on.
//!
//! Of ten requests seven are little over HTTP/1.1, two are little over HTTP/2, and one carries
//! a mebibyte up or down. Nothing may fail, no exchange may be lost, nothing may grow.

mod minute;
mod watch;

use std::{path::Path, thread::sleep, time::Duration};

use minute::Minute;
use tokio::time::Instant;
use watch::Watch;

use super::{
    Outcome,
    gateway::{Gateway, Setup},
    generator::{Connections, Generator},
    machine,
    options::{self, Options},
    peer::{self, Running},
    process::Program,
    workshop::Workshop,
};

/// Finds the highest rate, holds the wanted share of it, judges.
pub(crate) fn run(options: &Options, soak: &options::Soak, workshop: &Workshop) -> Outcome<()> {
    println!("{}\n", machine::description());
    let origin = peer::start_origin(workshop)?;
    let setup = Setup { name: "soak".to_owned(), accounts: 1, keys: 1, capture_size: CAPTURE_SIZE };
    let gateway = Gateway::start(&options.wxgate, workshop, &setup, origin.address)?;
    let key = gateway.keys.first().cloned().unwrap_or_default();
    let mut generator = Generator::start(workshop, gateway.running.address, &key, CONNECTIONS)?;
    let highest = highest_rate(&gateway, &mut generator, &origin)?;
    let rate = highest * soak.share;
    println!("holding {rate:.0} requests a second for {} minutes\n", soak.minutes);
    let mut watch = Watch::new(rate, gateway.metric(DROPPED)?);
    println!("{}", Minute::head());
    generator.hold(rate)?;
    for number in 1..=soak.minutes {
        let minute = Minute::pass(number, &gateway, &mut generator, &mut watch)?;
        println!("{minute}");
        minute.words().iter().for_each(|word| println!("         {word}"));
        keep_short(&gateway.log)?;
        watch.add(&minute);
    }
    generator.pause()?;
    let (answered, recorded) = settled(&gateway)?;
    println!("\n{}", watch.verdict(answered, recorded));
    let gone = watch.failures(answered, recorded);
    if gone.is_empty() {
        Ok(())
    } else {
        Err(format!("the soak failed: {}", gone.join("; ")).into())
    }
}

/// Requests a second when every connection sends as soon as it has its answer.
fn highest_rate(gateway: &Gateway, generator: &mut Generator, origin: &Running) -> Outcome<f64> {
    let cpu = |generator: &Generator| {
        [&gateway.running.program, &generator.program, &origin.program].map(Program::cpu)
    };

    generator.as_fast_as_it_goes()?;
    sleep(HIGHEST_WARM);
    generator.seen()?;
    let (began, before, idle) = (Instant::now(), cpu(generator), machine::idle_ticks());
    sleep(HIGHEST_LOOK);
    let (seen, took) = (generator.seen()?, began.elapsed().as_secs_f64());
    let behind = cpu(generator);
    let idle: Vec<String> = machine::idle_ticks()
        .iter()
        .zip(&idle)
        .map(|(behind, before)| format!("{:.0} %", (behind - before) as f64 / took))
        .collect();
    let busy = |at: usize| behind[at].saturating_sub(before[at]).as_secs_f64() / took * 100.0;
    generator.pause()?;
    sleep(PAUSE);
    let failed = generator.seen()?.failed() + seen.failed();
    let done = seen.sum(|tally| tally.done) as f64;
    let lost = gateway.metric(DROPPED)?;
    println!(
        "highest rate: {:.0} requests a second, {failed} failed, {lost:.0} captures dropped\n\
         busy: gateway {:.0} % of its core, generator {:.0} % and origin {:.0} % of the other; \
         idle: {}",
        done / took,
        busy(0),
        busy(1),
        busy(2),
        idle.join(" and "),
    );
    seen.words.iter().for_each(|word| println!("  {word}"));
    Ok(done / took)
}

/// Requests that were answered, and exchanges that were stored or dropped, when nothing is under
/// way any more.
fn settled(gateway: &Gateway) -> Outcome<(f64, f64)> {
    let mut last = (0.0, -1.0);
    for _ in 0..SETTLE_LOOKS {
        sleep(PAUSE);
        let kept = gateway.metric("wxgate_capture_recorded_total")?;
        let now = (gateway.metric("wxgate_requests_total")?, kept + gateway.metric(DROPPED)?);
        if now == last {
            break;
        }
        last = now;
    }
    Ok(last)
}

/// A line a request is too much for a disk: what was written so far goes.
fn keep_short(log: &Path) -> Outcome<()> {
    Ok(std::fs::File::options().write(true).open(log)?.set_len(0)?)
}

const DROPPED: &str = "wxgate_capture_dropped_total";
/// The oldest go when there is more.
const CAPTURE_SIZE: &str = "1GiB";
const CONNECTIONS: Connections = Connections { http1: 48, http2: 4, large: 8 };
const HIGHEST_WARM: Duration = Duration::from_secs(3);
const HIGHEST_LOOK: Duration = Duration::from_secs(12);
const PAUSE: Duration = Duration::from_secs(1);
const SETTLE_LOOKS: usize = 30;
