//! The menu of an account, with the variants for some of its users.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Follower;
use crate::sandbox::{drawer::Drawer, refusal::Refusal};

/// The menu that all see, and conditional ones by their ids.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::sandbox) struct Menus {
    usual: Option<Menu>,
    conditional: Drawer<Menu, MOST_CONDITIONAL>,
    next_id: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Menu {
    id: u64,
    buttons: Value,
    rule: Option<Rule>,
}

/// Who sees a conditional menu.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(in crate::sandbox) struct Rule(Value);

impl Rule {
    /// 65304 for an empty rule, 65310 and 65311 for a place without the larger one around it.
    pub(in crate::sandbox) fn new(rule: &Value) -> Result<Self, Refusal> {
        let has = |name: &str| match rule.get(name) {
            None | Some(Value::Null) => false,
            Some(Value::String(text)) => !text.is_empty(),
            Some(_) => true,
        };
        if !FIELDS.iter().any(|name| has(name)) {
            return Err(Refusal::new(65304));
        }
        if has("city") && !has("province") {
            return Err(Refusal::new(65311));
        }
        if has("province") && !has("country") {
            return Err(Refusal::new(65310));
        }
        Ok(Self(rule.clone()))
    }

    /// Tags and the language of followers are known; a rule that asks for anything else fits
    /// nobody.
    fn fits(&self, follower: &Follower) -> bool {
        FIELDS.iter().all(|name| match (*name, self.0.get(*name).and_then(as_text).as_deref()) {
            (_, None | Some("")) => true,
            ("tag_id" | "group_id", Some(tag)) => {
                tag.parse().is_ok_and(|tag: i64| follower.tags.contains(&tag))
            }
            ("language", Some(language)) => language == "zh_CN",
            (_, Some(_)) => false,
        })
    }
}

/// Ids come as text or as numbers.
fn as_text(value: &Value) -> Option<String> {
    value.as_str().map(ToOwned::to_owned).or_else(|| value.as_i64().map(|id| id.to_string()))
}

impl Menus {
    /// Sets the menu that all see; conditional ones stay.
    pub(in crate::sandbox) fn set(&mut self, buttons: Value) {
        let id = self.new_id();
        self.usual = Some(Menu { id, buttons, rule: None });
    }

    /// Adds a conditional menu: 65303 while there is none that all see.
    pub(in crate::sandbox) fn add(&mut self, buttons: Value, rule: Rule) -> Result<u64, Refusal> {
        if self.usual.is_none() {
            return Err(Refusal::new(65303));
        }
        let id = self.new_id();
        let menu = Menu { id, buttons, rule: Some(rule) };
        self.conditional.put(&id.to_string(), menu)?;
        Ok(id)
    }

    /// Takes a conditional menu away: 65301 where there is none of that id.
    pub(in crate::sandbox) fn take(&mut self, id: &str) -> Result<(), Refusal> {
        self.conditional.take(id).map(|_| ()).ok_or_else(|| Refusal::new(65301))
    }

    /// Deletes all menus.
    pub(in crate::sandbox) fn clear(&mut self) {
        *self = Self { next_id: self.next_id, ..Self::default() };
    }

    /// Everything as `menu/get` tells it: 46003 where there is nothing.
    pub(in crate::sandbox) fn to_json(&self) -> Result<Value, Refusal> {
        let usual = self.usual.as_ref().ok_or_else(|| Refusal::new(46003))?;
        let mut told = json!({ "menu": { "button": usual.buttons, "menuid": usual.id } });
        if self.conditional.len() > 0 {
            let newest_first = self.conditional.iter().rev().map(|(_, menu)| {
                json!({ "button": menu.buttons, "matchrule": menu.rule, "menuid": menu.id })
            });
            told["conditionalmenu"] = newest_first.collect();
        }
        Ok(told)
    }

    /// The buttons that all see; none without a menu.
    pub(in crate::sandbox) fn usual(&self) -> Option<&Value> {
        self.usual.as_ref().map(|menu| &menu.buttons)
    }

    /// The buttons that a user sees: of the newest conditional menu that fits.
    pub(in crate::sandbox) fn seen_by(&self, follower: &Follower) -> Result<&Value, Refusal> {
        let fits = |menu: &&Menu| menu.rule.as_ref().is_some_and(|rule| rule.fits(follower));
        let conditional = self.conditional.iter().rev().map(|(_, menu)| menu).find(fits);
        let menu = conditional.or(self.usual.as_ref());
        menu.map(|menu| &menu.buttons).ok_or_else(|| Refusal::new(65303))
    }

    fn new_id(&mut self) -> u64 {
        self.next_id = self.next_id.saturating_add(1);
        FIRST_ID.saturating_add(self.next_id)
    }
}

/// What a rule can ask for, from public SDKs; `group_id` is the older name of `tag_id`.
const FIELDS: &[&str] = &[
    "tag_id",
    "group_id",
    "sex",
    "country",
    "province",
    "city",
    "client_platform_type",
    "language",
];
const MOST_CONDITIONAL: usize = 100;
/// Ids look like 208379533.
const FIRST_ID: u64 = 208_379_500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_names_somebody_and_places_from_the_largest_down() {
        let errcode = |rule: Value| Rule::new(&rule).map_or_else(|r| r.errcode, |_| 0);
        assert_eq!(errcode(json!({"tag_id": "2"})), 0);
        assert_eq!(errcode(json!({"tag_id": ""})), 65304);
        assert_eq!(errcode(json!(null)), 65304);
        assert_eq!(errcode(json!({"city": "广州"})), 65311);
        assert_eq!(errcode(json!({"city": "广州", "province": "广东"})), 65310);
    }

    #[test]
    fn the_newest_menu_that_fits_is_seen() {
        let mut menus = Menus::default();
        let rule = |rule: Value| Rule::new(&rule).unwrap();
        assert_eq!(menus.add(json!([1]), rule(json!({"tag_id": 2}))).unwrap_err().errcode, 65303);
        menus.set(json!([0]));
        let first = menus.add(json!([1]), rule(json!({"tag_id": 2}))).unwrap();
        menus.add(json!([2]), rule(json!({"tag_id": 2, "sex": 1}))).unwrap();
        let mut follower = Follower::new(0);
        assert_eq!(menus.seen_by(&follower).unwrap(), &json!([0]));
        follower.tag(2).unwrap();
        assert_eq!(menus.seen_by(&follower).unwrap(), &json!([1]));
        assert!(menus.take(&first.to_string()).is_ok());
        assert_eq!(menus.take(&first.to_string()).unwrap_err().errcode, 65301);
        menus.clear();
        assert_eq!(menus.to_json().unwrap_err().errcode, 46003);
    }
}
