//! Keys made on the database of a gateway that does not run.

use std::sync::Arc;

use clap::Parser as _;

use super::*;
use crate::{
    base::{
        kind::AccountKind,
        permission::{ErrorStyle, Lane},
    },
    cli::{
        args::{Cli, Command},
        host,
    },
    config::model::{Account, Origin, Scheme, Upstream},
};

const OUT: Out = Out { json: true, color: false };

fn create_args(line: &str) -> CreateArgs {
    let cli = Cli::try_parse_from(format!("wxgate key create {line}").split(' ')).unwrap();
    match cli.command {
        Command::Key(args) => match args.command {
            KeyCommand::Create(args) => args,
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

/// The shipped account `demo`, and `shop` on the real platform.
fn host_with_a_real_account(folder: &Path) -> Host {
    let mut host = host::tests::stopped(folder);
    let demo = host.config.accounts[0].clone();
    let origin = Origin { scheme: Scheme::Https, host: "api.weixin.qq.com".into(), port: 443 };
    let shop = Account {
        name: "shop".parse().unwrap(),
        upstream: Upstream::Origins(vec![origin]),
        ..Account::clone(&demo)
    };
    host.config.accounts.push(Arc::new(shop));
    host
}

#[test]
fn a_real_account_wants_a_lane_and_the_sandbox_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let host = host_with_a_real_account(dir.path());
    let form = |line: &str| form::of(&create_args(line), &host);
    assert_eq!(form("a --account demo").unwrap().lane, Lane::Live);
    for line in ["a --account shop", "a --account demo --account shop", "a"] {
        let failure = form(line).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.text().unwrap().contains("`shop` calls the real platform"), "{line}");
    }
    assert_eq!(form("a --account shop --lane read-only").unwrap().lane, Lane::ReadOnly);
    let failure = form("a --account shpo --lane live").unwrap_err();
    assert!(failure.text().unwrap().contains("it has: demo, shop"));
    assert!(form("a --lane read-only --allow-danger").is_err());
    assert!(form("a --lane live --expires 1ms").is_err());
}

#[test]
fn every_flag_reaches_the_form() {
    let dir = tempfile::tempdir().unwrap();
    let host = host::tests::stopped(dir.path());
    let line = "ci --role operator --account demo --lane sandbox --allow-danger --errors wechat \
                --expires 30d --path /shop --path /cgi-bin --network 10.0.0.0/8 --rate 50/s";
    let form = form::of(&create_args(line), &host).unwrap();
    assert_eq!(
        (form.role.as_str(), form.lane, form.errors),
        ("operator", Lane::Sandbox, ErrorStyle::Wechat)
    );
    assert_eq!((form.paths.len(), form.networks.len(), form.allow_danger), (2, 1, true));
    assert_eq!((form.rate.as_deref(), form.expires_s), (Some("50/s"), Some(30 * 86_400)));
    for bad in ["A", "a --rate 50", "a --lane lve", "a --network x", "a --expires 5"] {
        let line = format!("wxgate key create {bad}");
        assert!(Cli::try_parse_from(line.split(' ')).is_err(), "{bad}");
    }
}

#[test]
fn an_sdk_chooses_the_refusals_that_it_reads_and_a_wrong_word_gets_the_nearest() {
    let dir = tempfile::tempdir().unwrap();
    let host = host::tests::stopped(dir.path());
    let errors = |line: &str| form::of(&create_args(line), &host).unwrap().errors;
    assert_eq!(errors("a --for wechatpy"), ErrorStyle::Wechat);
    assert_eq!(errors("a --for wechatpy --errors http"), ErrorStyle::Http);
    assert_eq!(errors("a --for curl"), ErrorStyle::Http);
    assert_eq!(errors("a --for curl --errors wechat"), ErrorStyle::Wechat);
    let line = "wxgate key create a --for wechtpy";
    let told = Cli::try_parse_from(line.split(' ')).unwrap_err().to_string();
    assert!(told.contains("'wechatpy'") && told.contains("node-easywechat"), "{told}");
}

#[tokio::test]
async fn a_key_is_not_made_where_its_sdk_has_no_account() {
    let dir = tempfile::tempdir().unwrap();
    let mut host = host::tests::stopped(dir.path());
    let corp = Account { kind: AccountKind::Wecom, ..Account::clone(&host.config.accounts[0]) };
    host.config.accounts[0] = Arc::new(corp);
    let Err(failure) = create::run(&create_args("alice --for wxjava"), &host, &OUT).await else {
        panic!("WeCom has no AppID")
    };
    assert_eq!(failure.exit, Exit::Usage);
    create::run(&create_args("alice --for curl"), &host, &OUT).await.unwrap();
}

#[tokio::test]
async fn a_key_made_without_a_gateway_opens_its_database() {
    let dir = tempfile::tempdir().unwrap();
    let host = host::tests::stopped(dir.path());
    create::run(&create_args("alice"), &host, &OUT).await.unwrap();
    let Err(failure) = create::run(&create_args("alice"), &host, &OUT).await else {
        panic!("the name is taken")
    };
    assert!(failure.text().unwrap().contains("alice"));
    rotate("alice", None, &host, &OUT).await.unwrap();
    revoke("alice", &host, &OUT).await.unwrap();
    let failure = revoke("alice", &host, &OUT).await.unwrap_err();
    assert_eq!(failure.exit, Exit::Failed);
    assert!(failure.text().unwrap().contains("revoked already"), "{failure:?}");
    assert!(revoke("nobody", &host, &OUT).await.unwrap_err().text().unwrap().contains("nobody"));
    let held = host.hold().unwrap();
    let keys = ring(&held, &host).unwrap().list();
    assert_eq!(keys.len(), 2);
    let audit = |c: &rusqlite::Connection| {
        c.query_row("SELECT count(*) FROM audit WHERE who = 'cli'", [], |row| row.get::<_, i64>(0))
    };
    assert_eq!(held.db.read_blocking(audit).unwrap(), 3);
}
