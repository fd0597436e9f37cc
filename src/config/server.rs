//! `[server]`: where it listens, which names it answers to, and the process around it.

use std::time::Duration;

use crate::base::{kind::Language, units::ByteSize};

use super::{message::say, model::Server, suggest::write, table::Table};

/// Reads the table.
pub(super) fn read(table: &Table<'_>) -> Server {
    let listen = super::listen::read(&table.field("listen"));
    let data_dir = table.field("data_dir");
    Server {
        listen,
        hosts: read_hosts(table),
        trusted_proxies: table
            .field("trusted_proxies")
            .list(super::field::Field::network)
            .unwrap_or_default(),
        data_dir: data_dir.file_path().unwrap_or_else(|| data_dir.reading().absolute("data")),
        workers: read_workers(table),
        language: read_language(table),
        body_max: table
            .field("body_max")
            .size(
                ByteSize(1)..=BODY_MOST,
                &say!("再长就不是接口调用了", "a longer body is no API call"),
            )
            .unwrap_or(ByteSize(512 << 20)),
        shutdown_grace: table
            .field("shutdown_grace")
            .duration(
                Duration::from_secs(1)..=Duration::from_secs(600),
                &say!(
                    "太短会中断请求，太长服务管理器会强杀",
                    "shorter cuts requests off, longer and the service manager kills"
                ),
            )
            .unwrap_or(Duration::from_secs(60)),
    }
}

/// The language of the file, for the report about the rest of it.
pub(super) fn read_language(table: &Table<'_>) -> Language {
    let choices: Vec<_> = Language::ALL.iter().map(|l| (l.as_str(), *l)).collect();
    table.field("language").choice(&choices).unwrap_or(Language::Both)
}

/// Without any name every request would be 421.
fn read_hosts(table: &Table<'_>) -> Vec<String> {
    let field = table.field("hosts");
    let hosts = field.list(super::field::Field::host);
    if field.is_empty_list() {
        field.refuse(
            say!("至少要有一个主机名", "at least one host is needed, or nobody is answered"),
            Some(write("[\"localhost\", \"127.0.0.1\"]")),
        );
    }
    hosts.unwrap_or_else(|| vec!["localhost".to_owned(), "127.0.0.1".to_owned()])
}

/// 0 in the file is one a core; a container's limit counts.
fn read_workers(table: &Table<'_>) -> usize {
    let why =
        say!("每个 worker 一个线程，0 = 每核一个", "each worker is a thread; 0 is one a core");
    let given = table.field("workers").count(0..=256, &why).unwrap_or(0);
    match usize::try_from(given) {
        Ok(0) | Err(_) => std::thread::available_parallelism().map_or(1, usize::from),
        Ok(workers) => workers,
    }
}

/// Far above any upload of a platform; a typing error such as `512GiB` is still caught.
const BODY_MOST: ByteSize = ByteSize(16 << 30);

#[cfg(test)]
mod tests {
    use super::super::testing::{accept, expect_problem};

    #[test]
    fn hosts_are_lower_cased_and_at_least_one() {
        let config = accept("[server]\nhosts = ['WX.Example.com', '[::1]']\n");
        assert_eq!(config.server.hosts, ["wx.example.com", "::1"]);
        for (hosts, says) in [
            ("[]", "at least one host"),
            ("['*.example.com']", "no wildcard"),
            ("['a.cn', 'A.cn']", "in the list twice"),
            ("['https://a.cn:8443']", "a host only"),
            ("'a.cn'", "must be a list"),
            ("[1]", "must be a string"),
        ] {
            expect_problem(&format!("[server]\nhosts = {hosts}\n"), (2, says, ""));
        }
    }

    #[test]
    fn workers_are_never_zero_and_paths_are_absolute() {
        let config = accept("[server]\nworkers = 0\ndata_dir = 'd'\n");
        assert!(config.server.workers >= 1);
        assert!(config.server.data_dir.is_absolute() && config.server.data_dir.ends_with("d"));
        assert_eq!(accept("[server]\nworkers = 3\n").server.workers, 3);
        expect_problem("[server]\ndata_dir = ''\n", (2, "is not a path", ""));
        expect_problem("[server]\ndata_dir = '~/d'\n", (2, "~ has no meaning", "absolute"));
    }

    #[test]
    fn networks_and_language_are_checked() {
        let text = "[server]\ntrusted_proxies = ['10.0.0.0/8', '10.0.0.1/33']\n";
        expect_problem(text, (2, "is not a network", ""));
        let text = "[server]\ntrusted_proxies = ['10.0.0.0/8', '10.1.2.3/8']\n";
        expect_problem(text, (2, "twice", ""));
        let text = "[server]\nlanguage = 'zn'\n";
        expect_problem(text, (2, "`zn` is not one of: zh, en, both", "did you mean"));
    }
}
