//! Scenarios played against a sandbox in this process.

use clap::Parser as _;

use super::*;
use crate::cli::{
    args::{Cli, Command},
    sandbox::{SandboxArgs, SandboxCommand},
};

const OUT: Out = Out { json: true, color: false };

fn run_args(words: &[&str]) -> Result<RunArgs, clap::Error> {
    let words = ["wxgate", "sandbox", "run"].iter().chain(words);
    let Command::Sandbox(args) = Cli::try_parse_from(words)?.command else { panic!("not sandbox") };
    let SandboxArgs { command: Some(SandboxCommand::Run(args)), .. } = *args else {
        panic!("not run")
    };
    Ok(*args)
}

/// How playing this scenario ends.
async fn played(text: &str, more: &[&str]) -> Result<Exit, Failure> {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("x.json");
    std::fs::write(&file, text).unwrap();
    let file = file.display().to_string();
    run(run_args(&[&[&*file], more].concat()).unwrap(), &OUT).await
}

#[tokio::test]
async fn calls_events_waits_and_switches_play_together() {
    let text = r#"{"name":"all","vars":{"p":"${id:TEA}","n":1,"who":"${openid:a}"},"steps":[
        {"state":{"audit_delay_s":60}},
        {"call":"POST /shop/img/upload","form":{"media":{"file":"a.png","base64":"iVBORw=="},"resp_type":"1"},
         "expect":{"img_info":{"temp_img_url":{"$like":"https://*"}}},"save":{"img":"img_info.temp_img_url"}},
        {"call":"POST /shop/spu/add","body":{"out_product_id":"${p}","title":"明前龙井绿茶","path":"p?g=${p}",
          "head_img":["${img}"],"desc_info":{"imgs":["${img}"]},"third_cat_id":7523,"brand_id":2100000000,
          "info_version":"v${n}","skus":[{"out_product_id":"${p}","out_sku_id":"S","thumb_img":"${img}",
          "sale_price":1,"market_price":1,"stock_num":1,"sku_code":"c","barcode":"b",
          "sku_attrs":[{"attr_key":"k","attr_value":"v"}]}]},
         "expect":{"data":{"out_product_id":{"$echo":"body.out_product_id"}}},"save":{"id":"data.product_id"}},
        {"wait":"3h"},
        {"event":"open_product_spu_audit","expect":{"OpenProductSpuAudit":{"product_id":"${id}","status":4}}},
        {"note":"the token died meanwhile","call":"POST /shop/spu/get","body":{"product_id":"${id}"},
         "expect":{"spu":{"status":5,"product_id":"${id}"}}},
        {"call":"GET /cgi-bin/getcallbackip","query":{"access_token":"bad"},"expect":{"errcode":40001}},
        {"control":"POST reset"},
        {"call":"POST /shop/spu/get","body":{"product_id":"${id}"},"expect":{"errcode":9401002}}
    ]}"#;
    assert_eq!(played(text, &["--var", "n=2"]).await.unwrap(), Exit::Done);
}

#[tokio::test]
async fn a_step_that_fails_ends_the_run_with_1() {
    let failing = r#"{"steps":[{"call":"GET /cgi-bin/getcallbackip","expect":{"ip_list":[]}}]}"#;
    assert_eq!(played(failing, &[]).await.unwrap_err().exit, Exit::Failed);
    for step in [
        r#"{"event":"never","within_s":0}"#,
        r#"{"control":"POST nothing"}"#,
        r#"{"call":"GET /cgi-bin/getcallbackip","status":404}"#,
        r#"{"call":"GET /cgi-bin/getcallbackip","save":{"x":"nothing"}}"#,
    ] {
        let text = format!("{{\"steps\":[{step}]}}");
        let failure = played(&text, &["--keep-going"]).await.unwrap_err();
        assert_eq!(failure.exit, Exit::Failed, "{step}");
    }
}

#[tokio::test]
async fn a_wrong_file_is_refused_before_anything_is_sent() {
    for (text, more, why) in [
        ("{\"steps\":[{\"cal\":\"x\"}]}", &[][..], ":1:"),
        (r#"{"vars":{"a":null},"steps":[]}"#, &[], "--var a="),
        (r#"{"vars":{"a":1},"steps":[]}"#, &["--var", "b=1"], "no variable `b`: a"),
    ] {
        let failure = played(text, more).await.unwrap_err();
        assert_eq!(failure.exit, Exit::Usage);
        assert!(failure.text().unwrap().contains(why), "{failure:?}");
    }
    let failure = run(run_args(&["no-such-scenario"]).unwrap(), &OUT).await.unwrap_err();
    assert!(failure.exit == Exit::Usage && failure.hint.is_some());
    assert_eq!(run(run_args(&["--list"]).unwrap(), &OUT).await.unwrap(), Exit::Done);
}

#[tokio::test]
async fn without_control_short_waits_are_slept_and_long_ones_refused() {
    let tasks = Tasks::default();
    let http = Http::new(&TrustArgs { ca: None, insecure_loopback: true }, &tasks).unwrap();
    let place = Place::parse("http://127.0.0.1:9").unwrap();
    let caller = Caller::new(http, place, Proof::Nothing, None);
    let mut player = Player::new(caller, None, Scope::new("R".to_owned(), 0));
    tokio::time::pause();
    let step = |time: &str| {
        let text = format!("{{\"steps\":[{{\"wait\":\"{time}\"}}]}}");
        read(&text).unwrap().steps.remove(0)
    };
    let began = tokio::time::Instant::now();
    assert!(player.step(&step("30s")).await.unwrap().is_ok());
    assert_eq!(began.elapsed().as_secs(), 30);
    let trouble = player.step(&step("2m")).await.unwrap().unwrap_err();
    assert!(trouble.why.contains("cannot be moved"), "{}", trouble.why);
}

#[test]
fn what_goes_together_is_said_on_the_command_line() {
    assert!(run_args(&[]).is_err(), "a file");
    assert!(run_args(&["x", "--key", "k"]).is_err(), "a key is for a base");
    assert!(run_args(&["x", "--base", "http://a", "--key", "k", "--app-id", "w"]).is_err());
    assert!(run_args(&["x", "--var", "a"]).is_err());
    assert!(run_args(&["x", "--base", "http://a", "--app-id", "w", "--app-secret", "s"]).is_ok());
}

#[test]
fn a_failed_step_shows_no_secret() {
    let sent = serde_json::json!({"query": {"access_token": "t1"}, "body": {"a": [{"secret": "s1"}], "n": 1}});
    let shown = sent::without_secrets(&sent).to_string();
    assert!(!shown.contains("t1") && !shown.contains("s1") && shown.contains("\"n\":1"), "{shown}");
}
