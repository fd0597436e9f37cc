//! What the comparison needs of the machine, and what it is.

use std::{fs, path::Path, process::Command};

use super::options::Options;

/// Everything that is missing, each with what to do about it.
pub(crate) fn missing(options: &Options) -> Vec<String> {
    let mut missing = Vec::new();
    if !Path::new("/proc/self/schedstat").exists() {
        missing.push("Linux with scheduler statistics (/proc/self/schedstat)".to_owned());
        return missing;
    }
    for (program, package) in PROGRAMS {
        if !is_installed(program) {
            missing.push(format!("{program}: apt-get install {package}"));
        }
    }
    if lua_module().is_none() {
        missing.push("nginx's Lua module: apt-get install libnginx-mod-http-lua".to_owned());
    }
    if cores() < 2 {
        missing.push("two cores: one for the peer, one for load and origin".to_owned());
    }
    if let Some(files) = open_files().filter(|files| *files < FILES_LEAST) {
        missing.push(format!("{FILES_LEAST} open files (now {files}): ulimit -n {FILES_LEAST}"));
    }
    if !options.wxgate.exists() {
        missing.push(format!("{}: give --wxgate a binary that exists", options.wxgate.display()));
    }
    missing
}

/// One line about what was measured on and with.
pub(crate) fn description() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let version = |program: &str, argument: &str| {
        let output = Command::new(program).arg(argument).output();
        let output = output.map(|o| [o.stdout, o.stderr].concat()).unwrap_or_default();
        let text = String::from_utf8_lossy(&output).into_owned();
        text.lines().next().unwrap_or("?").to_owned()
    };
    format!(
        "{} cores of {}, Linux {}\n{} | {} | {} | {}",
        cores(),
        model.map_or("an unknown CPU", |(_, name)| name.trim()),
        kernel.trim(),
        version("nginx", "-v"),
        version("haproxy", "-v"),
        version("wrk", "-v"),
        version("h2load", "--version"),
    )
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

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The soft limit, that children inherit.
fn open_files() -> Option<u64> {
    let limits = fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

const PROGRAMS: [(&str, &str); 6] = [
    ("nginx", "nginx-light"),
    ("haproxy", "haproxy"),
    ("wrk", "wrk"),
    ("h2load", "nghttp2-client"),
    ("taskset", "util-linux"),
    ("setpriv", "util-linux"),
];

/// A thousand idle connections on each side of a peer, and room for the rest.
const FILES_LEAST: u64 = 4096;
