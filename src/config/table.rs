//! One table of proxy.toml while it is read.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::{
    field::Field,
    message::say,
    privacy::shown,
    reading::Reading,
    suggest::{closest, did_you_mean, one_of},
    vocabulary::{Words, home_of, words_of},
};

/// A table. Opening it reports the keys that do not belong there; a table that is absent reads
/// like an empty one, so that defaults stand in one place only.
pub(super) struct Table<'a> {
    reading: &'a Reading<'a>,
    words: &'static Words,
    path: String,
    /// Its heading, which a missing key is blamed on.
    at: Range<usize>,
    entries: Option<&'a DeTable<'a>>,
    /// Known keys that an unknown one was probably meant to be.
    misspelt: Vec<&'static str>,
}

impl<'a> Table<'a> {
    /// The top of the file.
    pub(super) fn top(reading: &'a Reading<'a>, entries: &'a DeTable<'a>) -> Self {
        Self::open(reading, words_of(""), String::new(), 0..0, Some(entries))
    }

    /// Reports the keys of `entries` that `words` does not know.
    fn open(
        reading: &'a Reading<'a>,
        words: &'static Words,
        path: String,
        at: Range<usize>,
        entries: Option<&'a DeTable<'a>>,
    ) -> Self {
        let mut table = Self { reading, words, path, at, entries, misspelt: Vec::new() };
        for (key, value) in entries.into_iter().flatten() {
            table.check_key(key.get_ref(), key.span(), value.get_ref());
        }
        table
    }

    /// The value of `key`, present or not.
    pub(super) fn field(&self, key: &'static str) -> Field<'a> {
        debug_assert!(self.words.keys.contains(&key), "{key} is missing in the vocabulary");
        let value = self.entries.and_then(|entries| entries.get(key));
        let is_misspelt = self.misspelt.contains(&key);
        Field::new(self.reading, self.path_of(key), value, self.at.clone(), is_misspelt)
    }

    /// The table under `key`; an empty one where there is none.
    pub(super) fn table(&self, key: &'static str) -> Self {
        let field = self.field(key);
        let entries = field.as_table();
        Self::open(self.reading, self.below(key), self.path_of(key), field.span(), entries)
    }

    /// The tables under `key`, each written as `[[key]]`.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Self> {
        let words = self.below(key);
        let field = self.field(key);
        if matches!(field.value(), Some(DeValue::Table(_))) {
            let heading = words.heading();
            let message = say!("这里是表的列表", "this is a list of tables");
            let advice = say!("请写 {heading}，两层方括号", "write {heading}, with two brackets");
            field.refuse(message, Some(advice));
            return Vec::new();
        }
        let open = |item: Field<'a>| {
            let entries = item.as_table()?;
            let path = item.path().to_owned();
            Some(Self::open(self.reading, words, path, item.span(), Some(entries)))
        };
        field.items().into_iter().flatten().filter_map(open).collect()
    }

    /// The vocabulary of a table inside this one.
    fn below(&self, key: &str) -> &'static Words {
        match self.words.table {
            "" => words_of(key),
            table => words_of(&format!("{table}.{key}")),
        }
    }

    /// The full name of a key of this table.
    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Notes a key that does not belong here: one of a later version, one of another table, or
    /// a misspelt one.
    fn check_key(&mut self, key: &str, span: Range<usize>, value: &DeValue<'_>) {
        if self.words.keys.contains(&key) {
            return;
        }
        let is_bare = key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        let given = shown(key).trim_matches('`').to_owned();
        let path = self.path_of(&if is_bare { given } else { format!("\"{given}\"") });
        if self.words.later.contains(&key) {
            let message = say!("此版本尚不支持 {key}", "{key} is not in this version");
            let advice = say!("请删去", "remove it");
            return self.reading.note(&path, span, message, Some(advice));
        }
        let is_list = value.as_array().and_then(|list| list.first());
        let is_table = value.is_table() || is_list.is_some_and(|item| item.get_ref().is_table());
        let message = if is_table {
            say!("未知的表", "unknown table")
        } else {
            say!("未知的键", "unknown key")
        };
        let meant = closest(key, self.words.keys);
        let suggestion = match (meant, home_of(key)) {
            (_, Some(home)) if !is_table => {
                let heading = home.heading();
                say!("它属于 {heading}", "it belongs in {heading}")
            }
            (Some(meant), _) => {
                self.misspelt.push(meant);
                did_you_mean(meant)
            }
            (None, _) => one_of(self.words.keys),
        };
        self.reading.note(&path, span, message, Some(suggestion));
    }
}
