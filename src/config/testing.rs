//! How the tests of this room feed texts to it.

use std::path::PathBuf;

use crate::base::kind::Language;

use super::{file::check_text, model::Config, problem::Problems};

/// Line, a part of the message, a part of the suggestion (empty: any or none).
pub(super) type Expected<'a> = (usize, &'a str, &'a str);

/// A folder that texts may refer to.
pub(super) struct Files(tempfile::TempDir);

impl Files {
    pub(super) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str, mode: u32) {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::write(self.path(name), text).unwrap();
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(self.path(name), permissions).unwrap();
    }

    /// Reads `text` from this folder, with an account `demo` behind it if it has none.
    pub(super) fn read(&self, text: &str) -> Result<Config, Problems> {
        let env = |name: &str| match name {
            "GOOD" => Some("env-secret-1".to_owned()),
            "EMPTY" => Some(String::new()),
            "CREDENTIALS_DIRECTORY" => self.0.path().to_str().map(str::to_owned),
            _ => None,
        };
        let has_account = text.lines().any(|line| {
            line.starts_with("account =")
                || line.starts_with("[account")
                || line.starts_with("[[account]]")
        });
        let text = if has_account { text.to_owned() } else { format!("{text}{DEMO}") };
        check_text(&text, self.0.path(), &env)
    }

    pub(super) fn accept(&self, text: &str) -> Config {
        self.read(text).unwrap_or_else(|problems| panic!("{text}\n{problems}"))
    }

    pub(super) fn expect_problem(&self, text: &str, expected: Expected<'_>) -> String {
        expect_one(self.read(text), text, expected)
    }
}

/// Reads a text that is right.
pub(super) fn accept(text: &str) -> Config {
    Files::new().accept(text)
}

/// Reads a text that has exactly one mistake. Gives all that would be shown of it.
pub(super) fn expect_problem(text: &str, expected: Expected<'_>) -> String {
    Files::new().expect_problem(text, expected)
}

/// The same without an account added.
pub(super) fn expect_bare_problem(text: &str, expected: Expected<'_>) -> String {
    expect_one(check_text(text, "/x".as_ref(), &|_| None), text, expected)
}

/// Reads a text with several mistakes: their lines, and a part of what is shown of each.
pub(super) fn expect_problems(text: &str, expected: &[(usize, &str)]) {
    let problems = Files::new().read(text).unwrap_err().in_language(Language::En);
    let lines: Vec<usize> = problems.iter().map(|problem| problem.line).collect();
    assert_eq!(lines, expected.iter().map(|(line, _)| *line).collect::<Vec<_>>(), "{problems}");
    for (problem, (_, part)) in problems.iter().zip(expected) {
        let advice = problem.suggestion.as_ref().map(|text| text.in_language(Language::En));
        let shown = format!("{} {advice:?}", problem.message.in_language(Language::En));
        assert!(shown.replace("\\\"", "\"").contains(part), "{part}\n{shown}");
    }
}

fn expect_one(read: Result<Config, Problems>, text: &str, expected: Expected<'_>) -> String {
    let (line, says, advice) = expected;
    let Err(problems) = read else { panic!("accepted:\n{text}") };
    let problems = problems.in_language(Language::En);
    assert_eq!(problems.len(), 1, "{text}\n{problems}");
    let problem = problems.iter().next().unwrap();
    assert_eq!(problem.line, line, "{problems}");
    let message = problem.message.in_language(Language::En);
    assert!(message.contains(says), "{says}\n{problems}");
    let suggestion = problem.suggestion.as_ref().map(|text| text.in_language(Language::En));
    assert!(suggestion.unwrap_or_default().contains(advice), "{advice}\n{problems}");
    format!("{problems}{}{problems:?}", serde_json::to_string(&problems).unwrap())
}

const DEMO: &str =
    "\n[[account]]\nname = 'demo'\napp_id = 'wx0123456789abcdef'\nupstream = 'sandbox'\n";

/// A certificate that may stand in `client_ca`, or a client's own, which may not.
pub(super) fn client_ca_pem(is_ca: bool) -> String {
    let mut params = rcgen::CertificateParams::default();
    if is_ca {
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    }
    params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem()
}
