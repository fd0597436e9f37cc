//! The command line.

/// Measures how fast exchanges are captured, found again and tidied up.
#[derive(clap::Parser, Debug)]
#[command(name = "store", bin_name = "cargo bench --bench store --")]
pub(crate) struct Options {
    /// Stored exchanges that are searched.
    #[arg(long, default_value_t = 1_000_000,
        value_parser = clap::value_parser!(u64).range(10_000..=100_000_000))]
    pub(crate) exchanges: u64,
    /// Seconds of each measurement of writing.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub(crate) seconds: u32,
    /// Exchanges offered a second.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    pub(crate) rate: u32,
    /// Only these parts.
    #[arg(long, value_delimiter = ',')]
    pub(crate) part: Vec<Part>,
    /// What cargo passes to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

/// One thing that is measured.
#[derive(clap::ValueEnum, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// How fast, and at which cost.
    Write,
    /// The same, and some questions, while the file grows.
    Growth,
    /// Filters and words in bodies.
    Search,
    /// Writing and reading while old exchanges are deleted.
    Retention,
}

impl Options {
    /// Whether the part was asked for.
    pub(crate) fn wants(&self, part: Part) -> bool {
        self.part.is_empty() || self.part.contains(&part)
    }
}
