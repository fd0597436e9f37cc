//! A load generator of our own, in a process of its own: paced or as fast as it goes.
//!
//! wrk and h2load cannot hold a rate of several kinds of requests. This one takes its rate over
//! a pipe, and says over another what it saw.

mod caller;
mod child;
mod connect;
mod histogram;
mod pace;
mod tally;

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::SocketAddr,
    process::{ChildStdin, ChildStdout},
};

pub(crate) use child::serve;
pub(crate) use tally::{Kind, Seen};

use super::{
    Outcome,
    process::{Core, Program, command},
    workshop::Workshop,
};

/// Connections of each kind of request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Connections {
    pub(crate) http1: usize,
    pub(crate) http2: usize,
    pub(crate) large: usize,
}

/// The generator, as its parent sees it. It ends when dropped.
pub(crate) struct Generator {
    pub(crate) program: Program,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Generator {
    /// Opens all connections and waits for orders.
    pub(crate) fn start(
        workshop: &Workshop,
        address: SocketAddr,
        key: &str,
        connections: Connections,
    ) -> Outcome<Self> {
        let mut load = command(Core::Rest, std::env::current_exe()?);
        load.arg("load").arg(address.to_string()).arg(workshop.file("ca.pem")).arg(key);
        load.arg(format!("--http1={}", connections.http1));
        load.arg(format!("--http2={}", connections.http2));
        load.arg(format!("--large={}", connections.large));
        let (program, input, output) = Program::talking(load)?;
        let mut generator = Self { program, input, output: BufReader::new(output) };
        generator.answer()?;
        Ok(generator)
    }

    /// So many requests a second in all, from now on.
    pub(crate) fn hold(&mut self, rate: f64) -> Outcome<()> {
        self.order(&format!("rate {rate}")).map(drop)
    }

    /// As many as there are answers to.
    pub(crate) fn as_fast_as_it_goes(&mut self) -> Outcome<()> {
        self.order("max").map(drop)
    }

    /// No more; connections stay open.
    pub(crate) fn pause(&mut self) -> Outcome<()> {
        self.order("pause").map(drop)
    }

    /// What it saw since it was last asked.
    pub(crate) fn seen(&mut self) -> Outcome<Seen> {
        Ok(serde_json::from_str(&self.order("seen")?)?)
    }

    fn order(&mut self, order: &str) -> Outcome<String> {
        writeln!(self.input, "{order}")?;
        self.answer()
    }

    fn answer(&mut self) -> Outcome<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        match line.trim_end().split_once(' ') {
            Some(("ok", answer)) => Ok(answer.to_owned()),
            _ => Err(format!("the load generator ended or said {line:?}").into()),
        }
    }
}
