//! One pass over a proxy.toml: what every reader needs, and where mistakes are noted.

use std::{
    cell::RefCell,
    ops::Range,
    path::{Path, PathBuf},
};

use toml::de::{DeTable, Error};

use crate::base::kind::Language;

use super::{
    message::{Message, say},
    page::Page,
    privacy::secret_spans,
    problem::{Problem, Problems},
};

/// Looks up an environment variable. An argument, so that tests need not change the process.
pub type Env<'a> = dyn Fn(&str) -> Option<String> + 'a;

/// The state of one pass. Readers note a mistake here, take a default in its place and go on,
/// so that one pass finds them all; the config is given out only if there were none.
pub(super) struct Reading<'a> {
    page: Page<'a>,
    /// Absolute; relative paths of the file count from here.
    folder: &'a Path,
    env: &'a Env<'a>,
    /// Whether references to secrets are followed.
    pub(super) opens_secrets: bool,
    problems: RefCell<Vec<Problem>>,
}

impl<'a> Reading<'a> {
    /// Begins a pass over `text`, which was parsed into `table`.
    pub(super) fn new(
        text: &'a str,
        table: &DeTable<'_>,
        folder: &'a Path,
        env: &'a Env<'a>,
    ) -> Self {
        let page = Page::new(text, secret_spans(table));
        Self { page, folder, env, opens_secrets: true, problems: RefCell::default() }
    }

    /// The variable `name`.
    pub(super) fn env(&self, name: &str) -> Option<String> {
        (self.env)(name)
    }

    /// A path of the file as an absolute one.
    pub(super) fn absolute(&self, path: &str) -> PathBuf {
        self.folder.join(path)
    }

    /// Notes a mistake.
    pub(super) fn note(
        &self,
        key: &str,
        span: Range<usize>,
        message: Message,
        suggestion: Option<Message>,
    ) {
        let (line, column) = self.page.place(span.start);
        // What is missing at the top of the file has no line to show.
        let excerpt = (span != (0..0)).then(|| self.page.excerpt(span));
        let key = key.to_owned();
        let problem = Problem { key, line, column, message, suggestion, excerpt };
        self.problems.borrow_mut().push(problem);
    }

    /// Notes what the parser did not understand. Whether the rest is worth reading: a key that
    /// stands twice spoils nothing else, any other mistake of syntax shifts what follows.
    pub(super) fn note_syntax(&self, errors: &[Error]) -> bool {
        let is_repeat = |error: &&Error| error.message() == "duplicate key";
        for error in errors.iter().take(SYNTAX_ERRORS) {
            let span = error.span().unwrap_or(0..0);
            if is_repeat(&error) {
                let key = self.page.slice(span.clone()).trim().to_owned();
                let key = super::privacy::shown(&key).trim_matches('`').to_owned();
                let message = say!("同一个键写了两次", "this key stands here twice");
                let advice = say!("删去其中一处", "remove one of the two");
                self.note(&key, span, message, Some(advice));
            } else {
                let what = error.message();
                let message = say!("TOML 语法错误：{what}", "not TOML: {what}");
                self.note("", span, message, None);
            }
        }
        errors.iter().all(|error| is_repeat(&error))
    }

    /// What was found.
    pub(super) fn into_problems(self, file: Option<&Path>, language: Language) -> Problems {
        Problems::new(file, language, self.problems.into_inner())
    }
}

/// After a few mistakes of syntax the rest are echoes of the first.
const SYNTAX_ERRORS: usize = 20;
