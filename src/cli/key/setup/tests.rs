//! Snippets on the command line, and the same ones in the documents.

use std::{fs, path::Path, sync::Arc};

use super::{sdk::SDKS, *};
use crate::{
    base::kind::AccountKind,
    cli::host,
    config::model::{Account, Origin, Scheme, Tls, Upstream},
};

const KEY: &str = "wxgk_TheKey";

/// An account `demo` of kind mini program, and a WeCom `corp`.
fn host_of(folder: &Path) -> Host {
    let mut host = host::tests::stopped(folder);
    let demo = host.config.accounts[0].clone();
    let corp = Account {
        name: "corp".parse().unwrap(),
        kind: AccountKind::Wecom,
        app_id: "wwcorp".to_owned(),
        ..Account::clone(&demo)
    };
    host.config.accounts.push(Arc::new(corp));
    host.config.server.language = Language::En;
    host
}

fn sdk(word: &str) -> &'static Sdk {
    SDKS.iter().find(|sdk| sdk.word == word).unwrap()
}

fn setup(word: &str, accounts: &[&str], host: &Host) -> Result<Setup, Failure> {
    let form: KeyForm = serde_json::from_value(serde_json::json!({
        "name": "a", "role": "developer", "lane": "live", "errors": "http", "accounts": accounts,
    }))
    .unwrap();
    Ok(Plan::of(sdk(word), &form, host)?.fill(KEY, false))
}

#[test]
fn every_snippet_is_filled_in_for_every_account_that_it_is_for() {
    let dir = tempfile::tempdir().unwrap();
    let host = host_of(dir.path());
    for one in SDKS {
        let text = setup(one.word, &["demo"], &host).unwrap().text;
        assert!(text.contains(KEY) && text.contains("127.0.0.1:8443"), "{}: {text}", one.word);
        for left in
            ["{{base}}", "{{key}}", "{{app_id}}", "{{platform}}", "{{path}}", "{{ca}}", "en|"]
        {
            assert!(!text.contains(left), "{}: {text}", one.word);
        }
        assert_eq!(one.has_app_id, setup(one.word, &["corp"], &host).is_err(), "{}", one.word);
    }
    let text = setup("whistle", &["corp"], &host).unwrap().text;
    assert!(
        text.contains("qyapi.weixin.qq.com https://127.0.0.1:8443") && text.contains("corpsecret=")
    );
    assert!(!text.contains("stable_token"), "{text}");
}

#[test]
fn several_accounts_are_told_and_only_a_tool_needs_the_path() {
    let dir = tempfile::tempdir().unwrap();
    let mut host = host_of(dir.path());
    let both = setup("curl", &[], &host).unwrap();
    assert_eq!(both.base_url, "https://127.0.0.1:8443/@demo");
    assert!(both.told(Language::En).contains("the first of the key's: demo, corp"));
    let both = setup("wechatpy", &["corp", "demo"], &host).unwrap();
    assert_eq!((both.base_url.as_str(), both.account.as_str()), ("https://127.0.0.1:8443", "demo"));
    assert!(!setup("curl", &["demo"], &host).unwrap().told(Language::En).contains("first of"));
    let failure = setup("wechatpy", &["corp"], &host).err().unwrap();
    assert!(failure.text().unwrap().contains("--for wechatpy"), "{failure:?}");
    let demo = host.config.accounts[0].clone();
    host.config
        .accounts
        .push(Arc::new(Account { name: "twin".parse().unwrap(), ..Account::clone(&demo) }));
    assert_eq!(setup("wechatpy", &[], &host).unwrap().base_url, "https://127.0.0.1:8443/@demo");
}

#[test]
fn the_ca_is_told_only_where_it_must_be_trusted() {
    let dir = tempfile::tempdir().unwrap();
    let mut host = host_of(dir.path());
    let own = setup("curl", &["demo"], &host).unwrap();
    assert_eq!(own.ca_url.as_deref(), Some("https://127.0.0.1:8443/-/ca.pem"));
    assert!(own.ca_sha256.is_none(), "there was no start that made one");
    let ca = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap().cert;
    let Tls::SelfSigned { dir: certs } = &host.config.tls else { panic!("{:?}", host.config.tls) };
    fs::create_dir_all(certs).unwrap();
    fs::write(certs.join("ca.pem"), ca.pem()).unwrap();
    let told = setup("curl", &["demo"], &host).unwrap();
    assert_eq!(told.ca_sha256.as_ref().map(|text| text.split(':').count()), Some(32));
    assert!(told.told(Language::Both).contains(told.ca_sha256.as_ref().unwrap()));
    host.config.tls = Tls::Files { cert: "c".into(), key: "k".into() };
    let files = setup("curl", &["demo"], &host).unwrap();
    assert!(files.ca_url.is_none() && files.text.starts_with("curl -H"), "{}", files.text);
    assert!(!files.told(Language::Zh).contains("CA"));
}

#[test]
fn a_gateway_that_runs_is_asked_for_its_port() {
    let dir = tempfile::tempdir().unwrap();
    let mut host = host_of(dir.path());
    host.config.server.listen[0].port = 0;
    let run = host.data_file("run.json");
    fs::create_dir_all(run.parent().unwrap()).unwrap();
    fs::write(&run, r#"{"public":["https://127.0.0.1:34567"]}"#).unwrap();
    assert_eq!(target::gateway_url(&host, true), "https://127.0.0.1:34567");
    assert_eq!(target::gateway_url(&host, false), "https://127.0.0.1:<port>");
    fs::write(&run, "{").unwrap();
    assert_eq!(target::gateway_url(&host, true), "https://127.0.0.1:<port>");
}

#[test]
fn another_api_is_named_by_its_own_host() {
    let dir = tempfile::tempdir().unwrap();
    let mut host = host_of(dir.path());
    let origin = Origin { scheme: Scheme::Https, host: "api.bank.example".into(), port: 443 };
    let bank = Account {
        name: "bank".parse().unwrap(),
        kind: AccountKind::Generic,
        app_id: String::new(),
        upstream: Upstream::Origins(vec![origin]),
        ..Account::clone(&host.config.accounts[0])
    };
    host.config.accounts.push(Arc::new(bank));
    let text = setup("mitmproxy", &["bank"], &host).unwrap().text;
    assert!(text.contains("|https://api.bank.example/|https://"), "{text}");
    assert!(setup("curl", &["bank"], &host).unwrap().text.ends_with(":8443/'"));
}

/// What an example in the documents is filled in with.
fn example(one: &Sdk, kind: AccountKind, language: Language) -> String {
    fill(
        one.snippet,
        &Values {
            language,
            kind,
            has_own_ca: true,
            base: "https://gateway.example:8443",
            platform: "api.weixin.qq.com",
            app_id: "wx0123456789abcdef",
            key: "wxgk_…",
        },
    )
}

/// The chapter of each SDK has its snippet between these two, one a kind where they differ.
fn with_snippets(document: &str, language: Language) -> String {
    let mut out = String::new();
    let mut rest = document;
    while let Some((before, behind)) = rest.split_once("<!-- --for ") {
        let (mark, behind) = behind.split_once(" -->\n```").unwrap();
        let (fence, behind) = behind.split_once('\n').unwrap();
        let (_, behind) = behind.split_once("```\n").unwrap();
        let (word, kind) = mark.split_once(' ').unwrap_or((mark, "official-account"));
        let text = example(sdk(word), kind.parse().unwrap(), language);
        out.push_str(&format!("{before}<!-- --for {mark} -->\n```{fence}\n{text}\n```\n"));
        rest = behind;
    }
    out + rest
}

#[test]
fn both_documents_have_every_snippet_as_it_is_printed() {
    for (file, language) in [("docs/SDKS.md", Language::En), ("docs/SDKS.zh-CN.md", Language::Zh)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
        let document = fs::read_to_string(&path).unwrap();
        for one in SDKS {
            let mark = format!("<!-- --for {}", one.word);
            let marks = document.matches(&format!("{mark} -->")).count();
            let (mini, official) = (AccountKind::MiniProgram, AccountKind::OfficialAccount);
            let both =
                [mini, official].map(|kind| document.contains(&format!("{mark} {kind} -->")));
            let is_same = example(one, mini, language) == example(one, official, language);
            assert!(if is_same { marks == 1 } else { both == [true; 2] }, "{file}: {}", one.word);
        }
        let wanted = with_snippets(&document, language);
        if std::env::var_os("WXGATE_WRITE_DOCS").is_some() {
            fs::write(&path, &wanted).unwrap();
            continue;
        }
        assert!(
            document == wanted,
            "{file} has other snippets than `wxgate key create --for` prints: run this test with \
             WXGATE_WRITE_DOCS=1 and look at the difference"
        );
    }
}

/// The levels of the headings; lines of code may begin with `#` too.
fn headings(file: &str) -> Vec<usize> {
    let document = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let outside_of_code = document.split("```").step_by(2).flat_map(str::lines);
    let headings = outside_of_code.filter(|line| line.starts_with('#'));
    headings.map(|line| line.chars().take_while(|c| *c == '#').count()).collect()
}

#[test]
fn both_documents_have_the_same_chapters() {
    let [english, chinese] = ["docs/SDKS.md", "docs/SDKS.zh-CN.md"].map(headings);
    assert!(english.len() > SDKS.len() && english == chinese, "{english:?} {chinese:?}");
}
