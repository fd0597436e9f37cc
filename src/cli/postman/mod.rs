//! `wxgate postman`: a collection and an environment for Postman, Apifox and newman.

mod files;
mod place;

use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use self::{files::Written, place::Gateway};
use super::{
    exit::{Exit, Failure},
    output::Out,
};
use crate::{
    access::KeyText,
    postman::{COLLECTION_ID, ENVIRONMENT_ID, Environment, Settings, collection},
};

/// For which gateway, and where to.
#[derive(Debug, Args)]
pub(super) struct PostmanArgs {
    /// The folder for the two files
    #[arg(long, value_name = "DIR", default_value = ".", value_hint = clap::ValueHint::DirPath)]
    out: PathBuf,
    /// The account that the requests are for [default: the only one]
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Where the gateway is [default: the one of this host]
    #[arg(long, value_name = "URL", env = "WXGATE_URL")]
    url: Option<String>,
    /// The account's AppID at another gateway
    #[arg(long, value_name = "APPID", requires = "url")]
    app_id: Option<String>,
    /// Write the access key that an environment variable holds into the file [WXGATE_KEY if none is named]
    #[arg(
        long,
        value_name = "VARIABLE",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "WXGATE_KEY"
    )]
    key_env: Option<String>,
    /// The CA that newman shall trust; only shown
    #[arg(long, value_name = "FILE", env = "WXGATE_CA", value_hint = clap::ValueHint::FilePath)]
    ca: Option<PathBuf>,
    /// Overwrite files that are not from here, or that hold a key
    #[arg(long)]
    force: bool,
}

/// Writes both files. Asks nobody: the collection is the same for every gateway.
pub(super) fn run(args: &PostmanArgs, config: Option<&Path>, out: &Out) -> Result<Exit, Failure> {
    let gateway = match &args.url {
        Some(url) => Gateway::at(url, args.account.as_deref(), args.app_id.as_deref())?,
        None => Gateway::of_host(config, args.account.as_deref())?,
    };
    let key = args.key_env.as_deref().map(key_of).transpose()?;
    let settings = Settings {
        base_url: &gateway.base_url,
        account: &gateway.account,
        app_id: &gateway.app_id,
        key: key.as_ref().map(KeyText::reveal),
    };
    let collection = collection();
    let requests = collection.requests();
    let files = [
        Written::new(&args.out.join(COLLECTION), "/info/_postman_id", COLLECTION_ID, &collection)?,
        Written::new(
            &args.out.join(ENVIRONMENT),
            "/id",
            ENVIRONMENT_ID,
            &Environment::new(settings),
        )?
        .with_secret(key.is_some()),
    ];
    // Both or none.
    for file in &files {
        file.check(args.force)?;
    }
    files::make_folder(&args.out)?;
    for file in &files {
        file.write()?;
    }
    let [collection, environment] = files.map(|file| file.path);
    if out.json {
        let files =
            json!({ "collection": collection, "environment": environment, "requests": requests });
        out.value(&files)?;
    } else {
        out.line(format!("{}\n{}", collection.display(), environment.display()))?;
        out.note(next_steps(&gateway, args, requests, key.is_some()));
    }
    Ok(Exit::Done)
}

/// The key in an environment variable; never told when it is wrong.
fn key_of(variable: &str) -> Result<KeyText, Failure> {
    let text = std::env::var(variable).unwrap_or_default();
    if text.is_empty() {
        let text = format!("the environment variable {variable} holds no access key");
        return Err(Failure::say(Exit::Usage, text).hint("export it, or leave --key-env out"));
    }
    KeyText::parse(&text).map_err(|error| {
        Failure::say(Exit::Usage, format!("the environment variable {variable}: {error}"))
    })
}

fn next_steps(gateway: &Gateway, args: &PostmanArgs, requests: usize, has_key: bool) -> String {
    let say = |zh: &str, en: &str| gateway.language.pick(zh, en);
    let to = if gateway.account.is_empty() {
        gateway.base_url.clone()
    } else {
        format!("{} ({})", gateway.base_url, gateway.account)
    };
    let key = if has_key {
        say(
            "环境文件含密钥，不要提交到代码库",
            "the environment file holds the key: do not commit it",
        )
    } else {
        say(
            "密钥没有写入，导入后填进环境变量 key",
            "the key is not in the files: enter it as the variable key after the import",
        )
    };
    let ca = args.ca.as_ref().or(gateway.ca.as_ref());
    let trust = ca.map(|ca| format!(" --ssl-extra-ca-certs {}", ca.display())).unwrap_or_default();
    let given = if has_key { "" } else { " --env-var key=$WXGATE_KEY" };
    let [collection, environment] = [COLLECTION, ENVIRONMENT].map(|name| args.out.join(name));
    format!(
        "{}\n{}\n{key}\n  newman run {} -e {}{given}{trust}",
        say(&format!("{requests} 个请求，发往 {to}"), &format!("{requests} requests, to {to}")),
        say(
            "Postman：Import 选这两个文件；Apifox：导入数据选 Postman 格式",
            "Postman: Import, choose both files; Apifox: import data, format Postman"
        ),
        collection.display(),
        environment.display(),
    )
}

const COLLECTION: &str = "wxgate.postman_collection.json";
const ENVIRONMENT: &str = "wxgate.postman_environment.json";

#[cfg(test)]
mod tests;
