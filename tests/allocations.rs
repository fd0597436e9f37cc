//! What a request asks of the heap: the program counts its allocations, and a limit holds them.
//!
//! A test starts this executable once more as `wxgate serve` with a heap that counts; client and
//! origin stay outside. No time is measured: the count is the same on any machine, in any profile
//! and under any load. SQLite, zstd and AWS-LC ask the system by themselves and are not counted.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(clippy::print_stderr, reason = "a failed gateway's log must be seen")]
#![allow(clippy::disallowed_methods, reason = "a test has no drain to wait for")]

#[allow(dead_code, unused_imports, reason = "the stories need more of it")]
#[path = "it/support/mod.rs"]
mod support;

use std::{
    alloc::System,
    fs::{self, File},
    io::{self, BufRead as _, BufReader, Lines, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use http::Method;
use rusqlite::Connection;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};

use self::support::{
    Client,
    client::{Session, Speak},
    eventually,
    gateway::address_of,
    origin::{Origin, Say},
};

#[global_allocator]
static HEAP: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[tokio::test(flavor = "multi_thread")]
async fn a_call_over_http1_allocates_what_it_may() {
    HTTP1.hold("HTTP1", usual_cost(Speak::Http1).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_over_http2_allocates_what_it_may() {
    HTTP2.hold("HTTP2", usual_cost(Speak::Http2).await);
}

/// Storing a batch allocates some sixty times, and the clock decides how many calls it holds. So
/// nothing can be stored until all are answered; the rest is one batch.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_recorded_allocates_what_it_may() {
    let mut program = Program::start(true).await;
    let mut session = program.client.session(Speak::Http1).await;
    program.send(&mut session, WARM_UP).await;
    let database = Connection::open(program.file("data/capture.db")).unwrap();
    eventually("what came first is stored", || async { stored(&database) == WARM_UP }).await;
    database.execute_batch("BEGIN IMMEDIATE").unwrap();
    let before = program.count();
    program.send(&mut session, COUNTED).await;
    database.execute_batch("ROLLBACK").unwrap();
    eventually("all is stored", || async { stored(&database) == WARM_UP + COUNTED }).await;
    RECORDED.hold("RECORDED", program.count().since(before).for_each_of(COUNTED));
}

/// What most calls cost: the middle of many short rounds, because what the clock does beside them
/// falls into few.
async fn usual_cost(speak: Speak) -> Cost {
    let mut program = Program::start(false).await;
    let mut session = program.client.session(speak).await;
    program.send(&mut session, WARM_UP).await;
    let mut rounds = Vec::new();
    for _ in 0..COUNTED / ROUND {
        let before = program.count();
        program.send(&mut session, ROUND).await;
        rounds.push(program.count().since(before).for_each_of(ROUND));
    }
    let middle = |number: fn(&Cost) -> f64| {
        let mut numbers: Vec<f64> = rounds.iter().map(number).collect();
        numbers.sort_by(f64::total_cmp);
        numbers[numbers.len() / 2]
    };
    Cost { allocations: middle(|cost| cost.allocations), bytes: middle(|cost| cost.bytes) }
}

/// Does nothing unless it is run by [`Program::start`].
#[test]
fn serve_is_the_program_that_the_others_start() {
    if is_program() {
        std::thread::spawn(answer_with_counts);
        let _ = wxgate::cli::main();
    }
}

/// What one call costs, or may cost. A limit is a bit less than one allocation more than was
/// counted, so that one more shows, and a twentieth more bytes.
struct Cost {
    allocations: f64,
    bytes: f64,
}

/// A small call with all that a deployment has: TLS on both sides, a key, limits, the token put
/// in, the answer searched for an errcode, a line in the log.
const HTTP1: Cost = Cost { allocations: 26.9, bytes: 9_600.0 };

/// The same; streams, frames and header tables come on top.
const HTTP2: Cost = Cost { allocations: 35.2, bytes: 12_500.0 };

/// [`HTTP1`]; both sides are copied, redacted, packed and stored.
const RECORDED: Cost = Cost { allocations: 33.9, bytes: 17_600.0 };

/// A count this far below its limit asks for a lower one.
const SLACK: f64 = 0.9;

impl Cost {
    fn hold(&self, name: &str, Self { allocations, bytes }: Self) {
        let now = format!(
            "a call allocates {allocations:.2} times and {bytes:.0} bytes; {name} in {} allows {} \
             times and {} bytes",
            file!(),
            self.allocations,
            self.bytes
        );
        eprintln!("{now}");
        assert!(
            allocations <= self.allocations && bytes <= self.bytes,
            "{now}. Find what is new (`valgrind --tool=dhat` or heaptrack tell who allocates) and do \
             without it; a higher limit needs its reason in the commit."
        );
        assert!(
            allocations >= self.allocations * SLACK && bytes >= self.bytes * SLACK,
            "{now}. That is much less than before: lower the limit to {:.1} times and {:.0} bytes, so \
             that it stays so.",
            allocations + 0.9,
            bytes * 1.05
        );
    }
}

/// What was asked of the heap.
#[derive(Clone, Copy)]
struct Count {
    /// Growing counts like a new one.
    allocations: u64,
    bytes: u64,
}

impl Count {
    fn since(self, before: Self) -> Self {
        Self {
            allocations: self.allocations - before.allocations,
            bytes: self.bytes - before.bytes,
        }
    }

    fn for_each_of(self, calls: u32) -> Cost {
        let each = |total: u64| total as f64 / f64::from(calls);
        Cost { allocations: each(self.allocations), bytes: each(self.bytes) }
    }
}

/// This executable as the program, with an origin. Dropped, it ends at once.
struct Program {
    child: Child,
    ask: ChildStdin,
    says: Lines<BufReader<ChildStdout>>,
    folder: tempfile::TempDir,
    client: Client,
}

impl Program {
    async fn start(captures: bool) -> Self {
        assert!(!is_program(), "only the test called `serve…` may run in the program");
        let origin = Origin::start(|_, _| Say::Json(ANSWER.into())).await;
        let folder = tempfile::tempdir().unwrap();
        let account = origin.account("shop");
        let config = format!("{SERVER}{account}{LIMITS}[capture]\nenabled = {captures}\n");
        fs::create_dir(folder.path().join("secrets")).unwrap();
        for (name, text) in [
            ("proxy.toml", config.as_str()),
            ("origin-ca.pem", &origin.ca_pem),
            ("secrets/shop", "0123456789abcdef0123456789abcdef"),
        ] {
            let mut options = File::options();
            let file = options.write(true).create_new(true).mode(0o600);
            file.open(folder.path().join(name)).unwrap().write_all(text.as_bytes()).unwrap();
        }
        // For libtest the word chooses a test, for the program it is the subcommand.
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("serve")
            .env(IS_PROGRAM, "yes")
            .current_dir(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(folder.path().join("log")).unwrap())
            .spawn()
            .unwrap();
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        let ask = child.stdin.take().unwrap();
        let mut says = BufReader::new(child.stdout.take().unwrap()).lines();
        let ready = says.by_ref().map(Result::unwrap).find(|line| line.contains("https://"));
        let ready = ready.unwrap_or_else(|| panic!("the program ended: {}", read("log")));
        let address = address_of(ready.split(' ').next_back().unwrap());
        let key = read("data/first-key").trim().to_owned();
        let client = Client::new(address, read("certs/ca.pem").as_bytes(), Some(key));
        Self { child, ask, says, folder, client }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// One call behind the other: at once they would share reads and wake-ups by chance.
    async fn send(&self, session: &mut Session, calls: u32) {
        let body = format!(r#"{{"out_product_id":"P-1","title":"{}"}}"#, "春季新款".repeat(55));
        for _ in 0..calls {
            let request = self.client.request(Method::POST, "/shop/spu/add", body.clone());
            let reply = session.send(request).await.unwrap();
            assert_eq!(reply.text(), ANSWER);
        }
    }

    /// What the program has asked of its heap so far.
    fn count(&mut self) -> Count {
        self.ask.write_all(b"\n").unwrap();
        let answer = self.says.by_ref().map(Result::unwrap).find_map(|line| {
            let (allocations, bytes) = line.strip_prefix(COUNT)?.split_once(' ')?;
            Some(Count { allocations: allocations.parse().ok()?, bytes: bytes.parse().ok()? })
        });
        answer.unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        if std::thread::panicking() {
            let log = fs::read_to_string(self.file("log")).unwrap_or_default();
            let last: Vec<_> = log.lines().rev().take(20).collect();
            eprintln!("--- the gateway's last lines, newest first\n{}", last.join("\n"));
        }
    }
}

fn is_program() -> bool {
    std::env::var_os(IS_PROGRAM).is_some()
}

/// In the program: a count for each line that comes in. Allocates nothing, and ends together with
/// the test.
fn answer_with_counts() {
    let (mut asked, mut line) = (io::stdin().lock(), String::with_capacity(80));
    while asked.read_line(&mut line).is_ok_and(|bytes| bytes > 0) {
        let heap = HEAP.stats();
        let allocations = heap.allocations + heap.reallocations;
        let _ = writeln!(io::stdout(), "{COUNT}{allocations} {}", heap.bytes_allocated);
        line.clear();
    }
    std::process::exit(0);
}

/// How many exchanges stand in the database.
fn stored(database: &Connection) -> u32 {
    let count = "SELECT coalesce(sum(count), 0) FROM segment";
    database.query_row(count, [], |row| row.get(0)).unwrap()
}

/// Connections, pools, buffers and tables have found their size by then.
const WARM_UP: u32 = 500;

/// Calls that are counted.
const COUNTED: u32 = 2_000;

/// Calls between two counts: over in a fraction of a second on any machine.
const ROUND: u32 = 20;

/// Set where this executable is the program.
const IS_PROGRAM: &str = "WXGATE_TEST_IS_PROGRAM";

/// How a line with a count begins.
const COUNT: &str = "count ";

const SERVER: &str = r#"[server]
listen = ["https://127.0.0.1:0"]
hosts = ["localhost", "127.0.0.1"]
workers = 1
"#;

/// Behind the account. Both are counted, and neither is reached.
const LIMITS: &str = r#"[[account.limit]]
path = "/shop/**"
rate = "1000000/s"
[limits]
per_key = "1000000/s"
"#;

/// As the platform answers. From 256 bytes on HTTP/2 sends a body without copying it.
const ANSWER: &str = r#"{"errcode":0,"errmsg":"ok","data":{"product_id":23423523452345235,"out_product_id":"P-1","create_time":"2026-03-05 12:05:25","skus":[{"sku_id":123,"out_sku_id":"51514515"},{"sku_id":124,"out_sku_id":"51514516"},{"sku_id":125,"out_sku_id":"51514517"}],"trace":"9f8e7d6c5b4a39281706f5e4d3c2b1a0","audit":"pending"}}"#;
