//! A program under measurement.

use std::{
    fs,
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use super::Outcome;

/// A running program, bound to one core. It is killed when dropped, and by the kernel when the
/// thread that started it ends, however that happens.
pub(crate) struct Program {
    child: Child,
}

/// Which core a program runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Core {
    /// The peer's, alone.
    Peer,
    /// Everybody else's: load and origin.
    Rest,
}

impl Core {
    fn number(self) -> &'static str {
        match self {
            Self::Peer => "0",
            Self::Rest => "1",
        }
    }
}

/// `program` with its core and its tie to us.
pub(crate) fn command(core: Core, program: impl AsRef<Path>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "taskset", "-c", core.number()]);
    command.arg(program.as_ref());
    command
}

impl Program {
    /// Starts it; what it writes goes to `log`.
    pub(crate) fn start(mut command: Command, log: &Path) -> Outcome<Self> {
        let log = fs::File::create(log)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        Ok(Self { child: command.spawn()? })
    }

    /// Starts one that is told what to do, and answers.
    pub(crate) fn talking(mut command: Command) -> Outcome<(Self, ChildStdin, ChildStdout)> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn()?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => Ok((Self { child }, input, output)),
            _ => Err("a program was started without its pipes".into()),
        }
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// CPU time of all its threads, and of its children's, since they began.
    pub(crate) fn cpu(&self) -> Duration {
        let tree = tree(self.child.id());
        Duration::from_nanos(tree.into_iter().map(cpu_ns).sum())
    }

    /// Resident memory of the whole tree in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        tree(self.child.id()).into_iter().map(resident_kib).sum()
    }

    /// How many file descriptors the whole tree has open.
    pub(crate) fn files(&self) -> u64 {
        let of = |pid| fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count) as u64;
        tree(self.child.id()).into_iter().map(of).sum()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        for pid in tree(self.child.id()).into_iter().skip(1) {
            // A worker whose master is killed would go on.
            let _ = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The process and all that it has started, itself first.
fn tree(root: u32) -> Vec<u32> {
    let mut tree = vec![root];
    let mut at = 0;
    while let Some(pid) = tree.get(at).copied() {
        at += 1;
        let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        for task in tasks {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            tree.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
        }
    }
    tree
}

/// From the scheduler's own nanoseconds: `stat` counts ticks of 10 ms.
fn cpu_ns(pid: u32) -> u64 {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let of_task = |task: fs::DirEntry| -> Option<u64> {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse().ok()
    };
    tasks.filter_map(of_task).sum()
}

fn resident_kib(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
