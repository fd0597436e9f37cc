//! A new installation, from flags to a configuration that is right.

use std::{fs, os::unix::fs::PermissionsExt as _};

use clap::Parser as _;

use super::{plan::Plan, *};
use crate::{
    cli::args::{Cli, Command},
    config::{
        self, ConfigSource,
        model::{Tls, Upstream},
    },
};

const OUT: Out = Out { json: true, color: false };
const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// Runs `init` with `flags` in `folder`, where the file `s` holds the secret.
fn init(folder: &Path, flags: &str) -> Result<Exit, Failure> {
    fs::write(folder.join("s"), format!("{SECRET}\n")).unwrap();
    let flags = flags.replace("DIR", &folder.display().to_string());
    let line = format!("wxgate init {flags}");
    let cli = Cli::try_parse_from(line.split(' ')).unwrap();
    let Command::Init(args) = cli.command else { panic!("not init") };
    run(*args, Some(&folder.join("proxy.toml")), &OUT)
}

fn read(folder: &Path) -> config::Config {
    let source = ConfigSource::read(&folder.join("proxy.toml")).unwrap();
    config::load(&source, &|_| None).unwrap_or_else(|problems| panic!("{problems}"))
}

#[test]
fn flags_make_files_that_pass_the_check() {
    let dir = tempfile::tempdir().unwrap();
    let flags =
        "--app-id wx0123456789abcdef --app-secret-file DIR/s --host wx.example.com --port 9000";
    assert_eq!(init(dir.path(), flags).unwrap(), Exit::Done);
    let config = read(dir.path());
    assert_eq!(config.server.hosts, ["wx.example.com", "localhost", "127.0.0.1"]);
    let listen = &config.server.listen[0];
    assert_eq!((listen.address.to_string().as_str(), listen.port), ("0.0.0.0", 9000));
    assert_eq!(config.accounts[0].name.as_str(), "shop");
    assert!(config.accounts[0].app_secret.as_ref().unwrap().matches(SECRET.as_bytes()));
    assert!(
        matches!(&config.accounts[0].upstream, Upstream::Origins(origins) if origins.len() == 2)
    );
    let mode =
        |path: &str| fs::metadata(dir.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("secrets/shop"), mode("secrets")), (0o600, 0o700));
    let text = fs::read_to_string(dir.path().join("proxy.toml")).unwrap();
    assert!(!text.contains(SECRET), "the secret is a reference");
    assert!(!dir.path().join("proxy.toml.new").exists());
}

#[test]
fn nothing_is_overwritten_without_force() {
    let dir = tempfile::tempdir().unwrap();
    let flags = "--app-id wx0123456789abcdef --app-secret-file DIR/s";
    init(dir.path(), flags).unwrap();
    assert_eq!(read(dir.path()).server.listen[0].address.to_string(), "127.0.0.1");
    let failure = init(dir.path(), flags).unwrap_err();
    assert!(failure.text().unwrap().contains("exists already"), "{failure:?}");
    fs::remove_file(dir.path().join("proxy.toml")).unwrap();
    let failure = init(dir.path(), flags).unwrap_err();
    assert!(failure.text().unwrap().contains("secrets/shop exists"), "{failure:?}");
    assert!(!dir.path().join("proxy.toml").exists());
    init(dir.path(), &format!("{flags} --force --port 9001 --language zh")).unwrap();
    assert_eq!(read(dir.path()).server.listen[0].port, 9001);
}

#[test]
fn what_makes_no_configuration_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let flags = "--app-id wx0123456789abcdef --app-secret-file DIR/s --upstream ftp://x";
    let failure = init(dir.path(), flags).unwrap_err();
    assert_eq!(failure.exit, Exit::Usage);
    assert!(failure.text().unwrap().contains("upstream"), "{failure:?}");
    assert!(!dir.path().join("proxy.toml").exists() && !dir.path().join("secrets/shop").exists());
    let failure = init(dir.path(), "--kind mini-program").unwrap_err();
    assert!(failure.text().unwrap().contains("--app-id ID, --app-secret-file"), "{failure:?}");
    let failure = init(dir.path(), "--kind generic").unwrap_err();
    assert!(failure.text().unwrap().contains("--upstream URL"), "{failure:?}");
}

#[test]
fn other_kinds_and_a_certificate_of_ones_own_are_possible() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("c.pem"), "").unwrap();
    fs::write(dir.path().join("k.pem"), "").unwrap();
    fs::set_permissions(dir.path().join("k.pem"), fs::Permissions::from_mode(0o600)).unwrap();
    let flags = "--kind generic --name bank --upstream https://api.bank.example --cert DIR/c.pem --key DIR/k.pem";
    init(dir.path(), flags).unwrap();
    let config = read(dir.path());
    assert!(matches!(config.tls, Tls::Files { .. }));
    assert!(config.accounts[0].app_secret.is_none());
    assert!(Cli::try_parse_from(["wxgate", "init", "--cert", "c.pem"]).is_err());
    assert!(Cli::try_parse_from(["wxgate", "init", "--app-secret", SECRET]).is_err());
}

#[test]
fn a_wecom_app_goes_to_wecom_and_is_forced_by_nobody() {
    let dir = tempfile::tempdir().unwrap();
    let flags = "--kind wecom --name work --app-id ww0123456789abcdef --app-secret-file DIR/s";
    init(dir.path(), flags).unwrap();
    let config = read(dir.path());
    assert_eq!(config.accounts[0].kind, AccountKind::Wecom);
    let Upstream::Origins(origins) = &config.accounts[0].upstream else { panic!("no origin") };
    assert_eq!(origins[0].to_string(), "https://qyapi.weixin.qq.com");
    let text = fs::read_to_string(dir.path().join("proxy.toml")).unwrap();
    assert!(!text.contains("force_refresh") && text.contains("[capture]"), "{text}");
    let failure = init(dir.path(), "--kind wecom --force").unwrap_err();
    assert!(failure.text().unwrap().contains("--app-id ID, --app-secret-file"), "{failure:?}");
}

#[test]
fn the_next_steps_name_the_menu_and_how_to_find_the_address() {
    let plan = |kind, hosts: Vec<String>| Plan {
        name: "shop".parse().unwrap(),
        kind,
        app_id: "wx1".into(),
        app_secret: None,
        upstream: Vec::new(),
        hosts,
        port: 8443,
        certificate: None,
        language: Language::Both,
    };
    let written =
        write::Written { config: "proxy.toml".into(), secret: Some("secrets/shop".into()) };
    let shown = next_steps::text(&plan(AccountKind::MiniProgram, vec!["x.cn".into()]), &written);
    for part in [
        "开发管理 → 开发设置",
        "wxgate token refresh shop",
        "40164",
        "wxgate serve --config proxy.toml",
        "TCP 8443",
        "4. ",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    let own = next_steps::text(&plan(AccountKind::OfficialAccount, Vec::new()), &written);
    assert!(own.contains("API IP 白名单") && !own.contains("TCP 8443"), "{own}");
    let work = next_steps::text(&plan(AccountKind::Wecom, Vec::new()), &written);
    assert!(work.contains("企业可信IP") && work.contains("60020"), "{work}");
}
