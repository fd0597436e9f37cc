//! The command line as the user writes it.

use std::{ffi::OsString, path::PathBuf};

use clap::{Parser, Subcommand, ValueHint};

use super::{
    backup::BackupArgs, completions::CompletionsArgs, explain::ExplainArgs, export::ExportArgs,
    init::InitArgs, key::KeyArgs, limit::LimitArgs, man::ManArgs, postman::PostmanArgs,
    restore::RestoreArgs, sandbox::SandboxArgs, show::ShowArgs, tail::TailArgs, token::TokenArgs,
};

/// One machine on the allow-list, and the whole team can call. 一台进白名单的机器，全组都能调微信接口。
#[derive(Debug, Parser)]
#[command(name = "wxgate", version, propagate_version = true, max_term_width = 100, after_help = EXIT_CODES)]
pub(super) struct Cli {
    /// The configuration [default: ./proxy.toml, /etc/wxgate/proxy.toml, or built in]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) config: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    pub(super) json: bool,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the gateway 启动网关
    Serve,
    /// Report every mistake of proxy.toml 检查配置
    Check,
    /// Apply a changed proxy.toml to the running gateway 重新加载配置
    Reload,
    /// Write a proxy.toml for production 生成生产配置
    Init(Box<InitArgs>),
    /// Make, list, revoke and rotate access keys 管理访问密钥
    Key(Box<KeyArgs>),
    /// Show, refresh and explain access tokens 查看与刷新令牌
    Token(TokenArgs),
    /// Free paths that were blocked after 45009 or 45011 解除额度拦截
    Limit(LimitArgs),
    /// Follow requests as they happen 实时查看请求
    Tail(TailArgs),
    /// Show one request with headers and bodies 查看一条请求
    Show(ShowArgs),
    /// Export recorded requests as HAR, JSON lines or a scenario 导出请求记录
    Export(ExportArgs),
    /// Say what an errcode means and what helps 解释返回码
    Explain(ExplainArgs),
    /// Write a collection for Postman, Apifox and newman 生成 Postman 集合
    Postman(PostmanArgs),
    /// Run the simulator of the platform by itself 单独运行本地沙箱
    Sandbox(Box<SandboxArgs>),
    /// Copy keys and sealed tokens into one file 备份
    Backup(BackupArgs),
    /// Put a backup in place 恢复备份
    Restore(RestoreArgs),
    /// Print a completion script for a shell 生成补全脚本
    Completions(CompletionsArgs),
    /// Print the manual, or write its pages into a folder 生成手册
    Man(ManArgs),
    /// Print the version 版本
    Version,
}

impl Cli {
    /// Reads the command line.
    ///
    /// # Errors
    /// What clap says: help, the version, or what is wrong.
    pub(super) fn read(words: impl Iterator<Item = OsString>) -> Result<Self, clap::Error> {
        Self::try_parse_from(with_filter_words(words.collect()))
    }
}

/// In a filter `-outcome:ok` means "not this outcome", but to clap it is a flag. A space in front
/// makes it a value, and means nothing to a filter. (`allow_hyphen_values` would swallow every
/// flag that stands behind the filter.)
fn with_filter_words(mut words: Vec<OsString>) -> Vec<OsString> {
    let is_filtered = |word: &OsString| word == "tail" || word == "export";
    let Some(command) = words.iter().position(is_filtered) else { return words };
    for word in words.iter_mut().skip(command + 1).take_while(|word| *word != "--") {
        let text = word.to_string_lossy();
        let is_flag = matches!(&*text, "-" | "-v" | "-h" | "-V") || text.starts_with("--");
        if text.starts_with('-') && !is_flag {
            *word = format!(" {text}").into();
        }
    }
    words
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 check found problems, 4 the platform answered an
error, 69 the gateway is not reachable, 78 the configuration is wrong.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_definitions_are_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn config_and_json_stand_before_or_behind_the_command() {
        for line in ["wxgate --json --config x.toml check", "wxgate check --json --config x.toml"] {
            let cli = Cli::try_parse_from(line.split(' ')).unwrap();
            assert!(cli.json && cli.config == Some("x.toml".into()), "{line}");
        }
        assert!(Cli::try_parse_from(["wxgate"]).is_err());
        assert!(Cli::try_parse_from(["wxgate", "serv"]).is_err());
    }

    #[test]
    fn a_filter_may_begin_with_a_dash_and_flags_may_stand_anywhere() {
        let read = |line: &str| Cli::read(line.split(' ').map(OsString::from)).unwrap();
        for (line, wanted) in [
            ("wxgate tail --json -v -outcome:ok account:shop", "-outcome:ok account:shop"),
            ("wxgate tail -outcome:ok --json -v", "-outcome:ok"),
            ("wxgate tail account:shop -is:replay -v --json", "account:shop -is:replay"),
            ("wxgate --json tail -v -- -outcome:ok", "-outcome:ok"),
        ] {
            let Cli { json: true, command: Command::Tail(args), .. } = read(line) else {
                panic!("{line}")
            };
            let filter = args.filter.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(args.verbose && filter == wanted, "{line}: {filter}");
        }
        let Command::Export(args) = read("wxgate export --har - -path:/b --unmask").command else {
            panic!("not export")
        };
        assert!(args.unmask && args.filter == [" -path:/b"]);
    }

    #[test]
    fn every_command_is_told_in_both_languages() {
        for command in Cli::command().get_subcommands() {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(about.bytes().any(|b| b.is_ascii_alphabetic()), "{about}");
            assert!(about.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{about}");
        }
    }
}
