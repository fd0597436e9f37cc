//! Where the cost of wxgate grows: the same load on gateways that have more and more of a thing.

mod callers;
mod connections;
mod table;

use std::net::SocketAddr;

use super::{
    Outcome,
    gateway::{Gateway, Setup},
    machine,
    options::{self, Options},
    peer::{self, Running},
    workshop::Workshop,
};

/// What a gateway may have much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dimension {
    Accounts,
    Keys,
    Connections,
    Idle,
}

impl Dimension {
    const ALL: [Self; 4] = [Self::Accounts, Self::Keys, Self::Connections, Self::Idle];

    fn name(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Keys => "keys",
            Self::Connections => "connections",
            Self::Idle => "idle",
        }
    }

    fn chosen(names: &[String]) -> Outcome<Vec<Self>> {
        let known = |name: &String| Self::ALL.iter().any(|one| one.name() == *name);
        if let Some(unknown) = names.iter().find(|name| !known(name)) {
            let all = Self::ALL.map(Self::name).join(", ");
            return Err(format!("no dimension is called {unknown}; there are {all}").into());
        }
        let is_chosen =
            |one: &Self| names.is_empty() || names.iter().any(|name| name == one.name());
        Ok(Self::ALL.into_iter().filter(is_chosen).collect())
    }
}

/// Measures every chosen dimension and prints its table as soon as it is done.
pub(crate) fn measure(
    options: &Options,
    growth: &options::Growth,
    workshop: &Workshop,
) -> Outcome<()> {
    let dimensions = Dimension::chosen(&growth.dimension)?;
    println!("{}", machine::description());
    println!("{} rounds of {} s, medians\n", options.rounds, options.seconds);
    let origin = peer::start_origin(workshop)?;
    let bench = Bench { options, workshop, origin: &origin };
    let mut failed = Vec::new();
    for dimension in dimensions {
        let table = match dimension {
            Dimension::Accounts => callers::accounts(&bench)?,
            Dimension::Keys => callers::keys(&bench)?,
            Dimension::Connections => connections::active(&bench)?,
            Dimension::Idle => connections::idle(&bench)?,
        };
        println!("{table}");
        if table.has_failures() {
            failed.push(dimension.name());
        }
    }
    if failed.is_empty() {
        return Ok(());
    }
    Err(format!("requests failed: {}", failed.join(", ")).into())
}

/// What all dimensions are measured with.
struct Bench<'a> {
    options: &'a Options,
    workshop: &'a Workshop,
    origin: &'a Running,
}

impl Bench<'_> {
    fn gateway(&self, what: &str, accounts: usize, keys: usize) -> Outcome<Gateway> {
        let name = format!("{what}-{accounts}-{keys}");
        let setup = Setup { name, accounts, keys, capture_size: "1GiB" };
        Gateway::start(&self.options.wxgate, self.workshop, &setup, self.origin())
    }

    fn origin(&self) -> SocketAddr {
        self.origin.address
    }
}
