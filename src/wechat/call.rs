//! One call of the platform, as the catalogue describes it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::credential::Credential;
use crate::base::{
    kind::AccountKind,
    permission::{UnknownWord, words},
};

/// One row of the catalogue. Texts point into the embedded file.
#[derive(Clone, Debug)]
pub struct Call {
    /// Path on the platform's host, without query: `/shop/spu/add`.
    pub path: &'static str,
    /// The documented method.
    pub method: CallMethod,
    /// Chinese name.
    pub name_zh: &'static str,
    /// English name.
    pub name_en: &'static str,
    /// Both names, for searches.
    pub names: &'static str,
    /// The chapter it belongs to, as in `transaction-component`.
    pub family: &'static str,
    /// Which sorts of app may call it.
    pub kinds: AppKinds,
    /// What the caller proves itself with.
    pub credential: Credential,
    /// What it does to the account.
    pub class: CallClass,
    /// Whether a second run of the same request does no harm. Never true for a dangerous call:
    /// deleting twice may delete what somebody made in between.
    pub repeatable: bool,
    /// What the request body is.
    pub body: BodyForm,
    /// What the answer is when the call succeeds; a failure is JSON in any case.
    pub answer: AnswerForm,
    /// Fields of request or answer that hold personal data: stored, and hidden in views.
    pub private: Box<[&'static str]>,
    /// Fields that hold a credential: never stored. The file marks them with `secret:`.
    pub never_store: Box<[&'static str]>,
    /// Where the row comes from: a documentation page or an SDK's source.
    pub doc: &'static str,
}

words! {
    /// The methods that documented calls use.
    CallMethod {
        /// GET.
        Get = "GET",
        /// POST.
        Post = "POST",
    }
}

impl CallMethod {
    /// The catalogue's method for one of HTTP; HEAD counts as GET, others have none.
    #[must_use]
    pub fn of(method: &http::Method) -> Option<Self> {
        if method == http::Method::POST {
            Some(Self::Post)
        } else if method == http::Method::GET || method == http::Method::HEAD {
            Some(Self::Get)
        } else {
            None
        }
    }
}

words! {
    /// What a call does to the account, in rising order of harm.
    CallClass {
        /// Changes nothing.
        Read = "read",
        /// Changes something.
        Write = "write",
        /// Deletes, pays, refunds or reaches many people: needs a permission of its own.
        Danger = "danger",
    }
}

words! {
    /// The form of a request body.
    BodyForm {
        /// No body.
        None = "none",
        /// JSON.
        Json = "json",
        /// `multipart/form-data`.
        Multipart = "multipart",
        /// Either, depending on a parameter.
        JsonOrMultipart = "json+multipart",
    }
}

words! {
    /// The form of a successful answer.
    AnswerForm {
        /// JSON.
        Json = "json",
        /// Bytes of a picture, sound, table or the like.
        Binary = "binary",
        /// Either, depending on a parameter or the thing asked for.
        JsonOrBinary = "json+binary",
    }
}

/// The sorts of app that a call is documented for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct AppKinds(u8);

impl AppKinds {
    /// Whether accounts of this kind are documented to use the call. A WeChat Store (`store`)
    /// is no kind of account here; generic accounts have no catalogue.
    #[must_use]
    pub fn holds(self, kind: AccountKind) -> bool {
        self.words().any(|word| word == kind.as_str())
    }

    /// The words of the file, in its order.
    pub fn words(self) -> impl Iterator<Item = &'static str> {
        APP_KINDS
            .iter()
            .enumerate()
            .filter(move |(bit, _)| self.0 & (1 << bit) != 0)
            .map(|(_, w)| *w)
    }

    /// Reads `mini-program,store`; none for an unknown or missing word.
    pub(super) fn parse(text: &str) -> Option<Self> {
        text.split(',').try_fold(Self(0), |kinds, word| {
            let bit = APP_KINDS.iter().position(|known| *known == word)?;
            Some(Self(kinds.0 | 1 << bit))
        })
    }
}

impl fmt::Debug for AppKinds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.words()).finish()
    }
}

const APP_KINDS: [&str; 5] =
    ["mini-program", "official-account", "open-platform", "wecom", "store"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_read_as_a_set_and_unknown_words_refused() {
        let kinds = AppKinds::parse("mini-program,store").unwrap();
        assert!(kinds.holds(AccountKind::MiniProgram));
        assert!(!kinds.holds(AccountKind::OfficialAccount) && !kinds.holds(AccountKind::Generic));
        assert_eq!(kinds.words().collect::<Vec<_>>(), ["mini-program", "store"]);
        for bad in ["", "mini-program,", "miniprogram", "mini-program, store"] {
            assert!(AppKinds::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn head_counts_as_get_and_other_methods_are_in_no_documentation() {
        assert_eq!(CallMethod::of(&http::Method::HEAD), Some(CallMethod::Get));
        assert_eq!(CallMethod::of(&http::Method::POST), Some(CallMethod::Post));
        assert_eq!(CallMethod::of(&http::Method::PUT), None);
    }
}
