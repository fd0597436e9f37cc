//! One value of proxy.toml while it is read.

use std::{net::IpAddr, ops::Range, path::PathBuf, str::FromStr};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use crate::base::cidr::Cidr;

use super::{
    message::{Message, say},
    privacy::shown,
    reading::Reading,
    suggest::{closest, did_you_mean, one_of, write},
};

/// A value with its place. Each reader gives `None` for a value that is absent, and for one
/// that is wrong after having noted why.
pub(super) struct Field<'a> {
    reading: &'a Reading<'a>,
    path: String,
    value: Option<&'a Spanned<DeValue<'a>>>,
    table_at: Range<usize>,
    is_misspelt: bool,
}

impl<'a> Field<'a> {
    /// `table_at` is the heading of its table, `is_misspelt` whether another key was probably
    /// meant to be this one.
    pub(super) fn new(
        reading: &'a Reading<'a>,
        path: String,
        value: Option<&'a Spanned<DeValue<'a>>>,
        table_at: Range<usize>,
        is_misspelt: bool,
    ) -> Self {
        Self { reading, path, value, table_at, is_misspelt }
    }

    /// As `account[1].upstream`.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The pass that this field belongs to.
    pub(super) fn reading(&self) -> &'a Reading<'a> {
        self.reading
    }

    /// Where it stands; the heading of its table where it does not.
    pub(super) fn span(&self) -> Range<usize> {
        self.value.map_or_else(|| self.table_at.clone(), Spanned::span)
    }

    /// The bare value.
    pub(super) fn value(&self) -> Option<&'a DeValue<'a>> {
        self.value.map(Spanned::get_ref)
    }

    /// Whether somebody wrote it.
    pub(super) fn is_written(&self) -> bool {
        self.value.is_some()
    }

    /// Notes what is wrong with the value.
    pub(super) fn refuse(&self, message: Message, suggestion: Option<Message>) {
        self.reading.note(&self.path, self.span(), message, suggestion);
    }

    /// The same, as the result of a reader that has nothing to give.
    pub(super) fn refused<T>(&self, message: Message, suggestion: Option<Message>) -> Option<T> {
        self.refuse(message, suggestion);
        None
    }

    /// Notes that the key must be there. Silent where a misspelt key was reported in its place.
    pub(super) fn require(&self, suggestion: Message) {
        if !self.is_written() && !self.is_misspelt {
            let name = self.path.rsplit('.').next().unwrap_or(&self.path);
            self.refuse(say!("缺少 {name}", "{name} is missing"), Some(suggestion));
        }
    }

    /// A string.
    pub(super) fn text(&self) -> Option<&'a str> {
        match self.value()? {
            DeValue::String(text) => Some(text),
            _ => self.wrong_type(&say!("字符串", "a string"), None),
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&self) -> Option<bool> {
        match self.value()? {
            DeValue::Boolean(flag) => Some(*flag),
            DeValue::String(text) if matches!(&**text, "true" | "false") => {
                let advice = say!("请写 {text}，不加引号", "write {text} without quotes");
                self.wrong_type(&say!("true 或 false", "true or false"), Some(advice))
            }
            _ => self.wrong_type(&say!("true 或 false", "true or false"), None),
        }
    }

    /// One word of a list.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&'static str, T)]) -> Option<T> {
        let text = self.text()?;
        if let Some((_, value)) = choices.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let (given, list) = (shown(text), one_of(&words));
        let suggestion = closest(text, &words).map_or(list, did_you_mean);
        let all = words.join(", ");
        let message = say!("{given} 不在可选值中：{all}", "{given} is not one of: {all}");
        self.refused(message, Some(suggestion))
    }

    /// Notes that `word` belongs to a version to come.
    pub(super) fn refuse_later(&self, word: &str) {
        let message = say!("此版本尚不支持 {word}", "{word} is not in this version");
        self.refuse(message, None);
    }

    /// A network.
    pub(super) fn network(&self) -> Option<Cidr> {
        self.parsed(&say!("203.0.113.0/24 这样的网段", "a network such as 203.0.113.0/24"))
    }

    /// A literal address.
    pub(super) fn address(&self) -> Option<IpAddr> {
        self.parsed(&say!("203.0.113.5 这样的 IP", "an address such as 203.0.113.5"))
    }

    /// A string that `T` understands, described by `wanted`.
    pub(super) fn parsed<T: FromStr>(&self, wanted: &Message) -> Option<T> {
        let text = self.text()?;
        match text.parse() {
            Ok(value) => Some(value),
            Err(_) => self.not_a(text, wanted, None),
        }
    }

    /// A path, made absolute.
    pub(super) fn file_path(&self) -> Option<PathBuf> {
        let text = self.text()?;
        if text.is_empty() || text.contains('\0') {
            let wanted = say!("路径", "a path");
            return self.not_a(text, &wanted, None);
        }
        if text.starts_with('~') {
            let message = say!("不展开 ~", "~ has no meaning here");
            return self.refused(message, Some(say!("请写绝对路径", "write an absolute path")));
        }
        Some(self.reading.absolute(text))
    }

    /// Each element of a list, as a field of its own.
    pub(super) fn items(&self) -> Option<Vec<Self>> {
        let list = match self.value()? {
            DeValue::Array(list) => list,
            DeValue::String(text) => {
                let given = shown(text).trim_matches('`').to_owned();
                return self
                    .wrong_type(&say!("列表", "a list"), Some(write(&format!("[\"{given}\"]"))));
            }
            _ => return self.wrong_type(&say!("列表", "a list"), None),
        };
        if list.len() > LIST_ITEMS {
            let message =
                say!("列表最多 {LIST_ITEMS} 项", "a list has at most {LIST_ITEMS} elements");
            return self.refused(message, None);
        }
        let item = |(index, value): (usize, &'a Spanned<DeValue<'a>>)| {
            let path = format!("{}[{index}]", self.path);
            Self::new(self.reading, path, Some(value), value.span(), false)
        };
        Some(list.iter().enumerate().map(item).collect())
    }

    /// Whether it is a list without elements.
    pub(super) fn is_empty_list(&self) -> bool {
        matches!(self.value(), Some(DeValue::Array(list)) if list.is_empty())
    }

    /// A list whose elements are read by `read`; one that stands there twice is a mistake.
    pub(super) fn list<T: PartialEq>(
        &self,
        mut read: impl FnMut(&Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut values = Vec::new();
        for item in self.items()? {
            match read(&item) {
                Some(value) if values.contains(&value) => {
                    item.refuse(say!("重复", "this is in the list twice"), None);
                }
                Some(value) => values.push(value),
                None => {}
            }
        }
        Some(values)
    }

    /// The entries of a table.
    pub(super) fn as_table(&self) -> Option<&'a DeTable<'a>> {
        match self.value()? {
            DeValue::Table(entries) => Some(entries),
            _ => self.wrong_type(&say!("表", "a table"), None),
        }
    }

    /// Notes that `text` is not what the key wants.
    pub(super) fn not_a<T>(
        &self,
        text: &str,
        wanted: &Message,
        suggestion: Option<Message>,
    ) -> Option<T> {
        let given = shown(text);
        let message = wanted.wrap(
            |wanted| format!("{given} 不是 {wanted}"),
            |wanted| format!("{given} is not {wanted}"),
        );
        self.refused(message, suggestion)
    }

    /// Notes that the value has the wrong type.
    pub(super) fn wrong_type<T>(&self, wanted: &Message, suggestion: Option<Message>) -> Option<T> {
        let (zh, en) = self.value().map_or(("空", "nothing"), type_name);
        let message = wanted.wrap(
            |wanted| format!("须为：{wanted}；实际是{zh}"),
            |wanted| format!("must be {wanted}, but is {en}"),
        );
        self.refused(message, suggestion)
    }
}

/// The type in words, Chinese and English.
fn type_name(value: &DeValue<'_>) -> (&'static str, &'static str) {
    match value {
        DeValue::String(_) => ("字符串", "a string"),
        DeValue::Integer(_) => ("整数", "a whole number"),
        DeValue::Float(_) => ("小数", "a decimal number"),
        DeValue::Boolean(_) => ("布尔值", "a boolean"),
        DeValue::Datetime(_) => ("日期", "a date"),
        DeValue::Array(_) => ("列表", "a list"),
        DeValue::Table(_) => ("表", "a table"),
    }
}

/// Longer lists are a mistake: no set-up has a thousand listeners, hosts or networks.
const LIST_ITEMS: usize = 1000;
