//! The library from which templates of subscribe messages are picked: a small part of the
//! platform's.

use serde_json::{Value, json};

/// One title with its keywords.
#[derive(Debug)]
pub(in crate::sandbox) struct Title {
    /// Its number.
    pub(in crate::sandbox) tid: i64,
    /// What it says.
    pub(in crate::sandbox) title: &'static str,
    /// 2 for one message an agreement, 3 for any number.
    pub(in crate::sandbox) kind: i64,
    category: i64,
    keywords: &'static [Keyword],
}

/// What one line of a template is about.
#[derive(Debug)]
pub(in crate::sandbox) struct Keyword {
    kid: i64,
    name: &'static str,
    example: &'static str,
    /// What its value must look like; the first part of its key.
    rule: &'static str,
}

impl Keyword {
    /// `thing1`: rule and number.
    pub(in crate::sandbox) fn key(&self) -> String {
        format!("{}{}", self.rule, self.kid)
    }

    /// The keyword's line of a template, with `value` in it.
    pub(in crate::sandbox) fn line(&self, value: &str) -> String {
        format!("{}:{value}\n", self.name)
    }

    /// Its example value.
    pub(in crate::sandbox) fn example(&self) -> &'static str {
        self.example
    }
}

impl Title {
    /// The keyword of that number.
    pub(in crate::sandbox) fn keyword(&self, kid: i64) -> Option<&'static Keyword> {
        self.keywords.iter().find(|keyword| keyword.kid == kid)
    }

    /// All keywords, as `getpubtemplatekeywords` tells them.
    pub(in crate::sandbox) fn keywords(&self) -> Vec<Value> {
        let all = self.keywords.iter();
        all.map(|keyword| {
            json!({
                "kid": keyword.kid,
                "name": keyword.name,
                "example": keyword.example,
                "rule": keyword.rule,
            })
        })
        .collect()
    }

    /// As `getpubtemplatetitles` tells it.
    pub(in crate::sandbox) fn to_json(&self) -> Value {
        json!({
            "tid": self.tid,
            "title": self.title,
            "type": self.kind,
            "categoryId": self.category.to_string(),
        })
    }
}

/// The title of that number.
pub(in crate::sandbox) fn find(tid: i64) -> Option<&'static Title> {
    TITLES.iter().find(|title| title.tid == tid)
}

/// The titles of some categories.
pub(in crate::sandbox) fn titles(categories: &[i64]) -> impl Iterator<Item = &'static Title> {
    TITLES.iter().filter(|title| categories.contains(&title.category))
}

/// The categories of every simulated account.
pub(in crate::sandbox) const CATEGORIES: &[(i64, &str)] =
    &[(616, "电商平台"), (307, "服装/鞋/箱包")];

const fn keyword(
    kid: i64,
    name: &'static str,
    example: &'static str,
    rule: &'static str,
) -> Keyword {
    Keyword { kid, name, example, rule }
}

const TITLES: &[Title] = &[
    Title {
        tid: 99,
        title: "付款成功通知",
        kind: 2,
        category: 616,
        keywords: &[
            keyword(1, "物品名称", "雨伞", "thing"),
            keyword(2, "付款金额", "9.90元", "amount"),
            keyword(3, "付款时间", "2019-12-11 11:00:00", "date"),
            keyword(4, "订单号", "20191211000001", "character_string"),
        ],
    },
    Title {
        tid: 855,
        title: "订单发货通知",
        kind: 2,
        category: 616,
        keywords: &[
            keyword(1, "订单编号", "20191211000001", "character_string"),
            keyword(2, "商品名称", "雨伞", "thing"),
            keyword(3, "快递公司", "顺丰速运", "thing"),
            keyword(4, "发货时间", "2019-12-11 11:00", "time"),
            keyword(5, "收货人", "张三", "name"),
        ],
    },
    Title {
        tid: 1536,
        title: "退款通知",
        kind: 2,
        category: 307,
        keywords: &[
            keyword(1, "退款金额", "9.90元", "amount"),
            keyword(2, "退款状态", "已退款", "phrase"),
            keyword(3, "退款时间", "2019-12-11 11:00", "time"),
            keyword(4, "备注", "原路退回", "thing"),
        ],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_belong_to_categories_and_keywords_are_numbered() {
        assert_eq!(titles(&[616]).count(), 2);
        assert_eq!(titles(&[1]).count(), 0);
        let title = find(99).unwrap();
        assert_eq!(title.keyword(2).unwrap().key(), "amount2");
        assert!(title.keyword(9).is_none() && find(1).is_none());
        let known: Vec<i64> = CATEGORIES.iter().map(|(id, _)| *id).collect();
        assert_eq!(titles(&known).count(), TITLES.len());
    }
}
