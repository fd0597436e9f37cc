//! `wxgate check`: every mistake of proxy.toml at once.

use std::path::Path;

use super::{
    exit::{Exit, Failure},
    output::Out,
};
use crate::config::{self, Config, Problems, remarks};

/// Reads the file as a start would, and says what is wrong.
pub(super) fn run(explicit: Option<&Path>, out: &Out) -> Result<Exit, Failure> {
    let source = config::find(explicit)?;
    let named =
        source.file.as_deref().map_or_else(|| "built in".into(), |f| f.display().to_string());
    match config::load(&source, &|name| std::env::var(name).ok()) {
        Ok(config) if out.json => {
            out.value(&Problems::none())?;
            note_remarks(&config, out);
            Ok(Exit::Done)
        }
        Ok(config) => {
            out.line(good(&named, &config))?;
            note_remarks(&config, out);
            Ok(Exit::Done)
        }
        Err(problems) => {
            if out.json {
                out.value(&problems)?
            } else {
                out.line(problems.to_string())?
            }
            Ok(Exit::Problems)
        }
    }
}

fn good(named: &str, config: &Config) -> String {
    let accounts = config.accounts.iter().map(|account| account.name.to_string());
    let accounts = accounts.collect::<Vec<_>>().join(", ");
    config.server.language.pick(
        &format!("{named}：没有问题；账号：{accounts}"),
        &format!("{named}: no problems; accounts: {accounts}"),
    )
}

/// On stderr: they are no problems, and JSON readers of stdout expect nothing else there.
fn note_remarks(config: &Config, out: &Out) {
    for remark in remarks(config) {
        out.note(remark.in_language(config.server.language));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUT: Out = Out { json: true, color: false };

    #[test]
    fn the_exit_code_tells_a_good_file_from_a_bad_and_from_a_missing_one() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("proxy.toml");
        assert_eq!(run(Some(&file), &OUT).unwrap_err().exit, Exit::BadConfig);
        std::fs::write(&file, "[[account]]\nname='a'\napp_id='wx1'\nupstream='sandbox'\n").unwrap();
        assert_eq!(run(Some(&file), &OUT).unwrap(), Exit::Done);
        std::fs::write(&file, "[server]\nlisen = 1\n").unwrap();
        assert_eq!(run(Some(&file), &OUT).unwrap(), Exit::Problems);
    }

    #[test]
    fn a_good_file_is_praised_in_its_language() {
        let mut config = Config::builtin(Path::new("/x"));
        config.server.language = crate::base::kind::Language::Zh;
        assert_eq!(good("p.toml", &config), "p.toml：没有问题；账号：demo");
    }
}
