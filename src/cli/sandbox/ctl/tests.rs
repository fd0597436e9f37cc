//! Command lines of `ctl`, and the control calls that they become.

use clap::Parser as _;

use super::*;
use crate::cli::{
    args::{Cli, Command},
    sandbox::{SandboxArgs, SandboxCommand},
};

fn ctl(line: &[&str]) -> Result<CtlArgs, clap::Error> {
    let words = ["wxgate", "sandbox", "ctl"].iter().chain(line);
    let Command::Sandbox(args) = Cli::try_parse_from(words)?.command else { panic!("not sandbox") };
    let SandboxArgs { command: Some(SandboxCommand::Ctl(args)), .. } = *args else {
        panic!("not ctl")
    };
    Ok(*args)
}

fn asked(line: &str) -> (String, String) {
    let words: Vec<&str> = line.split(' ').collect();
    let question = question(&ctl(&words).unwrap().command).unwrap();
    let body = String::from_utf8(question.body.to_vec()).unwrap();
    (format!("{} {}", question.method, question.rest), body)
}

#[test]
fn every_command_is_one_control_call() {
    for (line, call, body) in [
        ("faults", "GET faults", ""),
        (
            "faults add delay --ms 3000 --path /shop/* --count 2 --probability 0.5 --seed 7",
            "POST faults",
            r#"{"count":2,"kind":"delay","ms":3000,"path":"/shop/*","probability":0.5,"seed":7}"#,
        ),
        ("faults add errcode --value -1", "POST faults", r#"{"kind":"errcode","value":-1}"#),
        ("faults remove 7", "DELETE faults/7", ""),
        ("faults clear", "DELETE faults", ""),
        ("counters", "GET counters", ""),
        ("clock", "GET clock", ""),
        ("clock advance 2h", "POST clock", r#"{"advance_s":7200}"#),
        (
            "clock at 2026-06-15T10:20:00+08:00",
            "POST clock",
            r#"{"at":"2026-06-15T10:20:00+08:00"}"#,
        ),
        ("clock freeze", "POST clock", r#"{"freeze":true}"#),
        ("clock run", "POST clock", r#"{"run":true}"#),
        ("journal", "GET journal", ""),
        ("events", "GET events", ""),
        ("events --after 7", "GET events?after=7", ""),
        (r#"events fire x {"a":1}"#, "POST events", r#"{"event":"x","set":{"a":1}}"#),
        ("events fire x", "POST events", r#"{"event":"x","set":{}}"#),
        ("events fire x --force", "POST events", r#"{"event":"x","force":true,"set":{}}"#),
        ("pushes --after 7", "GET pushes?after=7", ""),
        ("push", "GET push", ""),
        (
            "push mode=secure url=http://127.0.0.1:3000/wx?a=b",
            "POST push",
            r#"{"mode":"secure","url":"http://127.0.0.1:3000/wx?a=b"}"#,
        ),
        ("push --off", "DELETE push", ""),
        ("push token=0123 verify=false", "POST push", r#"{"token":"0123","verify":false}"#),
        ("push token=123", "POST push", r#"{"token":"123"}"#),
        ("state", "GET state", ""),
        (
            "state audit_delay_s=5 scene_open=true ip_list=[\"10.0.0.1\"]",
            "POST state",
            r#"{"audit_delay_s":5,"ip_list":["10.0.0.1"],"scene_open":true}"#,
        ),
        ("state products", "GET state/products", ""),
        ("reset", "POST reset", ""),
        ("reset --keep-settings", "POST reset", r#"{"keep_settings":true}"#),
        ("accounts add c", "POST accounts", r#"{"name":"c"}"#),
        ("snapshot", "GET snapshot", ""),
        ("accounts", "GET accounts", ""),
        (
            "accounts add b --app-id wx2 --app-secret s",
            "POST accounts",
            r#"{"app_id":"wx2","app_secret":"s","name":"b"}"#,
        ),
        ("accounts add b --kind wecom", "POST accounts", r#"{"kind":"wecom","name":"b"}"#),
        ("accounts remove b", "DELETE accounts/b", ""),
        ("cashier 3305216840027791360", "POST cashier", r#"{"order_id":3305216840027791360}"#),
        ("cashier SO1", "POST cashier", r#"{"out_order_id":"SO1"}"#),
        ("cashier 202206150001", "POST cashier", r#"{"out_order_id":"202206150001"}"#),
        ("audits", "GET audits", ""),
        ("audits pass R1", "POST audits", r#"{"id":"R1","pass":true}"#),
        ("audits reject R1 no", "POST audits", r#"{"id":"R1","pass":false,"reason":"no"}"#),
        (r#"call post /faults {"kind":"busy"}"#, "POST faults", r#"{"kind":"busy"}"#),
    ] {
        assert_eq!(asked(line), (call.to_owned(), body.to_owned()), "{line}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_asked() {
    for line in [
        &["faults", "add", "delay", "--probability", "2"][..],
        &["clock", "advance", "2y"],
        &["clock", "advance", "5ms"],
        &["state", "frozen", "x=1"],
        &["events", "fire", "x", "{"],
        &["call", "P OST", "x"],
    ] {
        let failure = question(&ctl(line).unwrap().command).unwrap_err();
        assert_eq!(failure.exit, Exit::Usage, "{line:?}");
    }
    assert!(ctl(&["nothing"]).is_err());
    assert!(ctl(&["state", "--ca", "x", "--insecure-loopback"]).is_err());
    assert!(ctl(&["push", "a=b", "--off"]).is_err());
}

#[test]
fn the_account_may_stand_before_or_behind_the_command() {
    for line in [&["--account", "b", "clock"][..], &["clock", "--account", "b"]] {
        assert_eq!(ctl(line).unwrap().at.account.as_deref(), Some("b"), "{line:?}");
    }
}

#[test]
fn a_person_is_shown_what_changed_and_a_link_that_can_be_opened() {
    let state = json!({"live": {"orders": 0}, "settings": {"frozen": true, "pages": null}});
    let set = changed_switches(state.clone(), &["frozen=true".to_owned()]);
    assert_eq!(set, json!({"frozen": true}));
    assert_eq!(changed_switches(state.clone(), &[]), state);
    assert_eq!(live(state), json!({"orders": 0}));
    let mut link = json!({"url": "/-/sandbox/demo/cashier?ticket=a", "expires_in": 600});
    complete_link(&mut link, "http://127.0.0.1:9443");
    let text = cashier(&link);
    assert!(text.starts_with("http://127.0.0.1:9443/-/sandbox/demo/cashier?ticket=a\n"), "{text}");
}

#[tokio::test]
async fn nobody_there_and_a_refusal_have_exit_codes_of_their_own() {
    let out = Out { json: true, color: false };
    let args = ctl(&["--url", "http://127.0.0.1:9", "counters"]).unwrap();
    assert_eq!(run(args, &out).await.unwrap_err().exit, Exit::Unreachable);
    let tasks = Tasks::default();
    let options = crate::sandbox::SandboxOptions {
        accounts: vec![crate::sandbox::SandboxAccount {
            kind: AccountKind::MiniProgram,
            name: "demo".to_owned(),
            app_id: "wx1".to_owned(),
            app_secret: "s".to_owned(),
        }],
        allow_control_over_http: true,
        ..crate::sandbox::SandboxOptions::default()
    };
    let sandbox = crate::sandbox::Sandbox::start(options, tasks.clone()).await.unwrap();
    let url = format!("https://{}", sandbox.address());
    let at =
        |words: &[&str]| ctl(&[&["--url", &*url, "--insecure-loopback"], words].concat()).unwrap();
    assert_eq!(run(at(&["state", "frozen=true"]), &out).await.unwrap(), Exit::Done);
    assert_eq!(run(at(&["faults", "add", "boom"]), &out).await.unwrap_err().exit, Exit::Platform);
    let args = ctl(&["--url", &url, "counters"]).unwrap();
    let failure = run(args, &out).await.unwrap_err();
    assert_eq!(failure.exit, Exit::Unreachable, "its CA is nobody's");
    assert!(failure.hint.unwrap().contains("--ca"));
}
