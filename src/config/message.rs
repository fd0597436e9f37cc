//! A sentence for people, in both languages of the product.

use crate::base::kind::Language;

/// One sentence in Chinese and in English. Whoever shows it picks the language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    zh: String,
    en: String,
}

impl Message {
    /// Both texts say the same.
    #[must_use]
    pub fn new(zh: String, en: String) -> Self {
        Self { zh, en }
    }

    /// A longer sentence around this one.
    pub(super) fn wrap(
        &self,
        zh: impl FnOnce(&str) -> String,
        en: impl FnOnce(&str) -> String,
    ) -> Self {
        Self { zh: zh(&self.zh), en: en(&self.en) }
    }

    /// The sentence in `language`.
    #[must_use]
    pub fn in_language(&self, language: Language) -> String {
        language.pick(&self.zh, &self.en)
    }
}

/// Makes a [`Message`] from two format strings, Chinese first.
macro_rules! say {
    ($zh:literal, $en:literal $(,)?) => {
        $crate::config::message::Message::new(
            std::fmt::format(format_args!($zh)),
            std::fmt::format(format_args!($en)),
        )
    };
}
pub(super) use say;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_shown_in_the_language_that_is_asked_for() {
        let most = 3;
        let message = say!("最多 {most}", "at most {most}");
        assert_eq!(message.in_language(Language::Zh), "最多 3");
        assert_eq!(message.in_language(Language::En), "at most 3");
        assert_eq!(message.in_language(Language::Both), "最多 3 / at most 3");
    }
}
