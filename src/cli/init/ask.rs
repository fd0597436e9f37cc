//! Asks on a terminal for what the flags did not say.

use std::{
    fs,
    io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _},
    str::FromStr,
};

use zeroize::Zeroizing;

use super::{
    InitArgs,
    plan::{Plan, upstream_of},
};
use crate::{
    base::{
        kind::{AccountKind, Language},
        secret::Secret,
    },
    cli::{
        exit::{Exit, Failure, because},
        output::Out,
    },
};

/// The plan that flags and answers make.
///
/// # Errors
/// Without a terminal: wrong usage, with the flags that are missing.
pub(super) fn complete(args: InitArgs, out: &Out) -> Result<Plan, Failure> {
    let can_ask = io::stdin().is_terminal() && !args.app_secret_stdin && !out.json;
    let kind = args.kind.unwrap_or(AccountKind::MiniProgram);
    let is_generic = kind == AccountKind::Generic;
    let is_wecom = kind == AccountKind::Wecom;
    if !can_ask {
        refuse_missing(&args, is_generic)?;
    }
    let ask = Asker { can_ask };
    let name = ask.or("账号短名 / account name", args.name, "shop")?;
    let app_id = match args.app_id {
        Some(app_id) => app_id,
        None if is_generic => String::new(),
        None if is_wecom => ask.must("企业 ID / CorpID（ww…）")?,
        None => ask.must("AppID")?,
    };
    let app_secret = match (&args.app_secret_file, args.app_secret_stdin) {
        (Some(file), _) => {
            let wrap = |error| because(&format!("cannot read {}", file.display()), error);
            Some(secret(&Zeroizing::new(fs::read_to_string(file).map_err(wrap)?))?)
        }
        (None, true) => Some(secret(&from_stdin()?)?),
        (None, false) if is_generic => None,
        (None, false) if is_wecom => Some(ask.hidden(APP_OF_WECOM)?),
        (None, false) => Some(ask.hidden("AppSecret（不回显 / not shown）")?),
    };
    let hosts = if args.host.is_empty() && can_ask { ask.hosts()? } else { args.host };
    let upstream = if args.upstream.is_empty() { upstream_of(kind) } else { Some(args.upstream) };
    Ok(Plan {
        name,
        kind,
        app_id,
        app_secret,
        upstream: upstream.unwrap_or_default(),
        hosts,
        port: ask.or("端口 / port", args.port, "8443")?,
        certificate: args.cert.zip(args.key),
        language: args.language.unwrap_or(Language::Both),
    })
}

fn refuse_missing(args: &InitArgs, is_generic: bool) -> Result<(), Failure> {
    let mut missing = Vec::new();
    if args.app_id.is_none() && !is_generic {
        missing.push("--app-id ID");
    }
    if args.app_secret_file.is_none() && !args.app_secret_stdin && !is_generic {
        missing.push("--app-secret-file FILE (or --app-secret-stdin)");
    }
    if is_generic && args.upstream.is_empty() {
        missing.push("--upstream URL");
    }
    if missing.is_empty() {
        return Ok(());
    }
    let text = format!("no terminal to ask on, and these are missing: {}", missing.join(", "));
    Err(Failure::say(Exit::Usage, text))
}

/// Asks again until the answer is one.
struct Asker {
    can_ask: bool,
}

impl Asker {
    /// The flag, else an answer, else the default.
    fn or<T: FromStr<Err: std::fmt::Display>>(
        &self,
        question: &str,
        given: Option<T>,
        default: &str,
    ) -> Result<T, Failure> {
        if let Some(given) = given {
            return Ok(given);
        }
        loop {
            let answer = if self.can_ask {
                read(&format!("{question} [{default}]: "))?
            } else {
                String::new()
            };
            let answer = if answer.is_empty() { default } else { &answer };
            match answer.parse() {
                Ok(value) => return Ok(value),
                Err(error) if self.can_ask => say(&error.to_string())?,
                Err(error) => return Err(Failure::say(Exit::Usage, error.to_string())),
            }
        }
    }

    fn must(&self, question: &str) -> Result<String, Failure> {
        loop {
            let answer = read(&format!("{question}: "))?;
            if !answer.is_empty() {
                return Ok(answer);
            }
        }
    }

    fn hidden(&self, question: &str) -> Result<Secret, Failure> {
        loop {
            let answer = rpassword::prompt_password(format!("{question}: "))?;
            match secret(&Zeroizing::new(answer)) {
                Ok(secret) => return Ok(secret),
                Err(failure) => say(&failure.text().unwrap_or_default())?,
            }
        }
    }

    fn hosts(&self) -> Result<Vec<String>, Failure> {
        let question = "同事访问网关用的域名或 IP，多个用空格隔开，只在本机用则留空 / names or addresses \
                        that the team calls this gateway by; empty = this host only: ";
        Ok(read(question)?
            .split([' ', ',', '，'])
            .filter(|h| !h.is_empty())
            .map(ToOwned::to_owned)
            .collect())
    }
}

fn from_stdin() -> Result<Zeroizing<String>, Failure> {
    let mut text = Zeroizing::new(String::new());
    io::stdin().lock().take(SECRET_MOST_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

/// One word; a line end behind it is none of it.
fn secret(text: &str) -> Result<Secret, Failure> {
    let word = text.trim();
    if word.is_empty() || word.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Failure::say(Exit::Usage, "the AppSecret must be one word, and not empty"));
    }
    Ok(Secret::new(word.to_owned()))
}

fn read(question: &str) -> Result<String, Failure> {
    let mut stderr = io::stderr().lock();
    stderr.write_all(question.as_bytes()).and_then(|()| stderr.flush())?;
    let mut answer = String::new();
    if io::stdin().lock().read_line(&mut answer)? == 0 {
        return Err(Failure::say(
            Exit::Usage,
            "the questions were not answered; nothing was written",
        ));
    }
    Ok(answer.trim().to_owned())
}

fn say(text: &str) -> Result<(), Failure> {
    Ok(writeln!(io::stderr().lock(), "{text}")?)
}

/// WeCom's console calls it just so; each app has one.
const APP_OF_WECOM: &str = "应用的 Secret（不回显） / Secret of the app (not shown)";

/// Real ones have 32 letters and digits.
const SECRET_MOST_BYTES: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_one_word_without_its_line_end() {
        assert!(secret("abc\r\n").unwrap().matches(b"abc"));
        for bad in ["", " \n", "a b", "a\nb", "a\u{7}b"] {
            assert_eq!(secret(bad).unwrap_err().exit, Exit::Usage, "{bad:?}");
        }
    }
}
