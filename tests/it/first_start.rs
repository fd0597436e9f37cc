//! Two commands on a fresh machine, and the call that succeeds as printed.

use crate::support::{
    Gateway,
    gateway::{Builder, DEMO, cli_in},
};

#[tokio::test]
async fn the_first_call_succeeds_and_the_second_fetches_no_second_token() {
    let gateway = Gateway::start().await;
    for _ in 0..2 {
        let reply = gateway.client.get("/cgi-bin/getcallbackip").await;
        assert_eq!((reply.status.as_u16(), reply.errcode()), (200, 0), "{}", reply.text());
    }
    let counters = gateway.counters("demo").await;
    assert_eq!(counters["token_fetches"], 1);
    assert_eq!(counters["calls"]["/cgi-bin/getcallbackip"], 2);
}

#[tokio::test]
async fn the_ready_line_and_run_json_tell_the_same_but_for_the_key() {
    let gateway = Gateway::start().await;
    let ready = &gateway.ready;
    assert_eq!(ready["event"], "ready");
    assert!(ready["public"][0].as_str().unwrap().starts_with("https://127.0.0.1:"));
    assert_eq!(ready["metrics"], serde_json::Value::Null);
    assert_eq!(ready["ca"], "certs/ca.pem");
    assert_eq!(ready["fingerprint"].as_str().unwrap().len(), 95);
    assert!(ready["first_key"].as_str().unwrap().starts_with("wxgk_"));
    let text = std::fs::read_to_string(gateway.folder().join("data/run.json")).unwrap();
    let run: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(run["public"], ready["public"]);
    assert_eq!(run["first_key"], serde_json::Value::Null);
    assert!(!text.contains("wxgk_"));
}

#[tokio::test]
async fn a_restart_makes_no_second_first_key_and_needs_no_new_trust() {
    let gateway = Gateway::start().await;
    let (key, fingerprint) = (gateway.client.key.clone(), gateway.ready["fingerprint"].clone());
    let gateway = gateway.restart().await;
    assert_eq!(gateway.ready["first_key"], serde_json::Value::Null);
    assert_eq!(gateway.ready["fingerprint"], fingerprint);
    assert_eq!(gateway.client.key, key);
    assert_eq!(gateway.client.get("/cgi-bin/getcallbackip").await.errcode(), 0);
}

#[tokio::test]
async fn a_second_gateway_on_the_folder_is_refused_with_the_pid_of_the_first() {
    let gateway = Gateway::start().await;
    let output = cli_in(&gateway.folder(), &["serve", "--json"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&gateway.pid().to_string()), "{said}");
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let config =
        format!("[server]\nlisten = [\"https://{address}\"]\nhosts = [\"localhost\"]\n{DEMO}");
    let (code, said) = Builder::from_file(&config).fail();
    assert_eq!(code, 1, "{said}");
    assert!(said.contains(&address.to_string()), "{said}");
}

#[tokio::test]
async fn a_data_folder_that_cannot_be_written_is_named() {
    let config = format!(
        "[server]\nlisten = [\"https://127.0.0.1:0\"]\nhosts = [\"localhost\"]\ndata_dir = \"/proc/wxgate\"\n{DEMO}"
    );
    let (code, said) = Builder::from_file(&config).fail();
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("/proc/wxgate"), "{said}");
}

#[tokio::test]
async fn a_file_with_five_mistakes_reports_five() {
    let config = r#"
[server]
listen = ["https://127.0.0.1:0"]
hostz = ["localhost"]
body_max = "512 apples"
workers = -3

[[account]]
name = "Demo!"
app_id = "wx0123456789abcdef"
upstream = "sandbox"
force_refresh = "auto"
"#;
    let builder = Builder::from_file(config);
    let folder = builder.path();
    std::fs::write(folder.join("proxy.toml"), config).unwrap();
    let output = cli_in(&folder, &["check", "--json"]);
    assert_eq!(output.status.code(), Some(3));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let problems = report["problems"].as_array().unwrap();
    let keys: Vec<_> = problems.iter().map(|problem| problem["key"].as_str().unwrap()).collect();
    assert_eq!(keys.len(), 5, "{report:#}");
    assert_eq!(problems[0]["line"], 4);
    assert!(problems[0]["suggestion"].as_str().unwrap().contains("hosts"));
    let (code, said) = builder.fail();
    assert_eq!(code, 78, "{said}");
    assert!(said.contains("hostz"));
}

#[tokio::test]
async fn a_damaged_database_stops_the_start_and_names_the_cure() {
    let builder = Builder::new(DEMO);
    let data = builder.path().join("data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("wxgate.db"), vec![7; 16384]).unwrap();
    let (code, said) = builder.fail();
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("wxgate restore"), "{said}");
}

#[tokio::test]
async fn a_damaged_capture_database_is_set_aside_and_said_so() {
    let builder = Builder::new(DEMO);
    let data = builder.path().join("data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("capture.db"), vec![7; 16384]).unwrap();
    let gateway = builder.start().await;
    assert_eq!(gateway.client.get("/cgi-bin/getcallbackip").await.errcode(), 0);
    assert!(gateway.log().contains("capture.db"), "{}", gateway.log());
    let aside = std::fs::read_dir(&data).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name().to_string_lossy().into_owned();
        name.starts_with("capture")
            && std::fs::read(data.join(&name)).unwrap().starts_with(&[7; 100])
    });
    assert_eq!(aside.count(), 1);
}

#[tokio::test]
async fn a_secret_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let tables = "[[account]]\nname = \"shop\"\napp_id = \"wx0123456789abcdef\"\napp_secret = \"file:secret\"\nupstream = [\"https://api.weixin.qq.com\"]\n";
    let builder = Builder::new(tables).secret_file("secret", "0123456789abcdef0123456789abcdef");
    let path = builder.path().join("secret");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (code, said) = builder.fail();
    assert_eq!(code, 78, "{said}");
    assert!(said.contains("app_secret") && !said.contains("0123456789abcdef0123"), "{said}");
}
