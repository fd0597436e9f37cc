//! The categories that goods can be sold under.

use serde_json::{Value, json};

/// One category of the third level, the only one that products carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sandbox) struct Category {
    first: (i64, &'static str),
    second: (i64, &'static str),
    third: (i64, &'static str),
    /// The certificate that the category needs; empty = none.
    certificate: &'static str,
    /// The certificate that each product needs.
    product_certificate: &'static str,
}

/// The category of that id.
pub(in crate::sandbox) fn find(third_cat_id: i64) -> Option<&'static Category> {
    CATEGORIES.iter().find(|category| category.third.0 == third_cat_id)
}

/// All of them.
pub(in crate::sandbox) fn all() -> &'static [Category] {
    CATEGORIES
}

impl Category {
    /// Its id.
    pub(in crate::sandbox) fn id(&self) -> i64 {
        self.third.0
    }

    /// Whether these are its three levels.
    pub(in crate::sandbox) fn is_at(&self, first: i64, second: i64, third: i64) -> bool {
        (self.first.0, self.second.0, self.third.0) == (first, second, third)
    }

    /// Whether it must be applied for.
    pub(in crate::sandbox) fn needs_certificate(&self) -> bool {
        !self.certificate.is_empty()
    }

    /// Whether its products must show a certificate.
    pub(in crate::sandbox) fn needs_product_certificate(&self) -> bool {
        !self.product_certificate.is_empty()
    }

    /// As the lists show it.
    pub(in crate::sandbox) fn to_json(self) -> Value {
        json!({
            "first_cat_id": self.first.0,
            "first_cat_name": self.first.1,
            "second_cat_id": self.second.0,
            "second_cat_name": self.second.1,
            "third_cat_id": self.third.0,
            "third_cat_name": self.third.1,
            "qualification": self.certificate,
            "qualification_type": u8::from(self.needs_certificate()),
            "product_qualification": self.product_certificate,
            "product_qualification_type": u8::from(self.needs_product_certificate()),
            "scene_group_list": [1],
        })
    }
}

const fn category(
    first: (i64, &'static str),
    second: (i64, &'static str),
    third: (i64, &'static str),
    certificate: &'static str,
    product_certificate: &'static str,
) -> Category {
    Category { first, second, third, certificate, product_certificate }
}

const FOOD: (i64, &str) = (7501, "食品饮料");
const CLOTHES: (i64, &str) = (6033, "服饰内衣");
const HOME: (i64, &str) = (6593, "家居百货");
const DIGITAL: (i64, &str) = (6870, "数码家电");
const BEAUTY: (i64, &str) = (7140, "美妆护肤");
const BOOKS: (i64, &str) = (7380, "图书文具");

/// A small shop's choice. The platform has thousands; their ids are not public, so that all but
/// the documents' own (7501, 7518, 7523) are made up.
const CATEGORIES: &[Category] = &[
    category(FOOD, (7518, "茗茶"), (7523, "绿茶"), "食品经营许可证", ""),
    category(FOOD, (7518, "茗茶"), (7524, "红茶"), "食品经营许可证", ""),
    category(FOOD, (7518, "茗茶"), (7525, "花草茶"), "食品经营许可证", ""),
    category(FOOD, (7530, "休闲食品"), (7531, "坚果炒货"), "食品经营许可证", ""),
    category(
        FOOD,
        (7540, "进口食品"),
        (7541, "进口饼干"),
        "食品经营许可证",
        "入境货物检验检疫证明",
    ),
    category(CLOTHES, (6034, "男装"), (6035, "T恤"), "", ""),
    category(CLOTHES, (6034, "男装"), (6036, "衬衫"), "", ""),
    category(CLOTHES, (6050, "女装"), (6051, "连衣裙"), "", ""),
    category(HOME, (6594, "茶具"), (6595, "茶杯"), "", ""),
    category(HOME, (6600, "收纳"), (6601, "收纳盒"), "", ""),
    category(DIGITAL, (6871, "手机配件"), (6872, "手机壳"), "", ""),
    category(DIGITAL, (6880, "小家电"), (6881, "电热水壶"), "", "3C认证证书"),
    category(BEAUTY, (7141, "面部护肤"), (7142, "面霜"), "化妆品生产许可证", "化妆品备案凭证"),
    category(BOOKS, (7381, "图书"), (7382, "少儿读物"), "出版物经营许可证", ""),
    category(BOOKS, (7390, "文具"), (7391, "笔记本"), "", ""),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_stands_for_one_category() {
        for category in all() {
            assert_eq!(find(category.id()), Some(category));
        }
        assert!(find(7523).unwrap().is_at(7501, 7518, 7523));
        assert!(find(1).is_none());
        assert_eq!(find(7523).unwrap().to_json()["qualification_type"], 1);
    }
}
