//! What the comparison needs of the machine, and what it is.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use super::{
    frame,
    options::{Mode, Options},
};

/// Everything that is missing, each with what to do about it.
pub(crate) fn missing(options: &Options) -> Vec<String> {
    let mut missing = Vec::new();
    if !Path::new("/proc/self/schedstat").exists() {
        missing.push("Linux with scheduler statistics (/proc/self/schedstat)".to_owned());
        return missing;
    }
    let wanted = Wanted::of(options);
    for (program, package) in wanted.programs {
        if !is_installed(program) {
            missing.push(format!("{program}: apt-get install {package}"));
        }
    }
    if wanted.lua && lua_module().is_none() {
        missing.push("nginx's Lua module: apt-get install libnginx-mod-http-lua".to_owned());
    }
    if frame::cores() < 2 {
        missing.push("two cores: one for the peer, one for load and origin".to_owned());
    }
    let least = wanted.files;
    if let Some(files) = raised_files(least).filter(|files| *files < least) {
        missing.push(format!("{least} open files (now {files}): ulimit -n {least}"));
    }
    if let Some(ports) = ports().filter(|ports| *ports < wanted.ports) {
        let least = wanted.ports;
        missing.push(format!(
            "{least} ports for outgoing connections (now {ports}): \
             sysctl net.ipv4.ip_local_port_range"
        ));
    }
    if !options.wxgate.exists() {
        missing.push(format!("{}: give --wxgate a binary that exists", options.wxgate.display()));
    }
    missing
}

/// One line about what was measured on and with.
pub(crate) fn description() -> String {
    let version = |program: &str, argument: &str| {
        let output = Command::new(program).arg(argument).output();
        let output = output.map(|o| [o.stdout, o.stderr].concat()).unwrap_or_default();
        let text = String::from_utf8_lossy(&output).into_owned();
        text.lines().next().unwrap_or("?").to_owned()
    };
    format!(
        "{}\n{} | {} | {} | {}",
        frame::machine(),
        version("nginx", "-v"),
        version("haproxy", "-v"),
        version("wrk", "-v"),
        version("h2load", "--version"),
    )
}

/// Clock ticks in which each core had nothing to do, since the machine began.
pub(crate) fn idle_ticks() -> Vec<u64> {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let of_core = |line: &str| -> Option<u64> {
        let rest = line.strip_prefix("cpu")?;
        // The line without a number is the sum of the others. Idle, and idle with a disk at work.
        let is_core = rest.starts_with(|first: char| first.is_ascii_digit());
        let mut ticks = rest.split(' ').skip(4).map_while(|ticks| ticks.parse::<u64>().ok());
        is_core.then(|| Some(ticks.next()? + ticks.next()?))?
    };
    stat.lines().filter_map(of_core).collect()
}

/// Where Debian puts the two shared objects that `load_module` wants.
pub(crate) fn lua_module() -> Option<[&'static str; 2]> {
    let modules = [
        "/usr/lib/nginx/modules/ndk_http_module.so",
        "/usr/lib/nginx/modules/ngx_http_lua_module.so",
    ];
    modules.iter().all(|module| Path::new(module).exists()).then_some(modules)
}

fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// What a run needs, beyond what all need.
struct Wanted {
    programs: &'static [(&'static str, &'static str)],
    lua: bool,
    files: u64,
    ports: u64,
}

impl Wanted {
    fn of(options: &Options) -> Self {
        let peers = Self { programs: &PROGRAMS, lua: true, files: 4096, ports: 4096 };
        match &options.mode {
            Some(Mode::Growth(growth)) => {
                // 15 000 connections on each side of a gateway, which keeps 256 files for
                // everything else, and room for ours.
                let is_many = |name: &String| name == "connections" || name == "idle";
                let many = growth.dimension.is_empty() || growth.dimension.iter().any(is_many);
                let (files, ports) = if many { (16_384, 20_000) } else { (4096, 4096) };
                Self { programs: &PROGRAMS[..FEW], lua: false, files, ports }
            }
            Some(Mode::Soak(_)) => Self { programs: &PROGRAMS[..FEW], lua: false, ..peers },
            Some(Mode::Bare(_) | Mode::Load(_)) | None => peers,
        }
    }
}

/// The soft limit, that children inherit; raised to `least` if the hard limit allows it.
fn raised_files(least: u64) -> Option<u64> {
    if open_files()? < least {
        // What became of it is seen below.
        let _ = Command::new("prlimit")
            .args(["--pid", &std::process::id().to_string(), &format!("--nofile={least}:")])
            .stderr(Stdio::null()) // what is missing is told in one place
            .status();
    }
    open_files()
}

fn open_files() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// How many connections to one address there can be.
fn ports() -> Option<u64> {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
    let (first, last) = range.split_once(char::is_whitespace)?;
    last.trim().parse::<u64>().ok()?.checked_sub(first.parse().ok()?)
}

/// The first [`FEW`] are all that is needed without other peers.
const PROGRAMS: [(&str, &str); 7] = [
    ("nginx", "nginx-light"),
    ("wrk", "wrk"),
    ("taskset", "util-linux"),
    ("setpriv", "util-linux"),
    ("prlimit", "util-linux"),
    ("haproxy", "haproxy"),
    ("h2load", "nghttp2-client"),
];
const FEW: usize = 5;
