//! The people who answer customers.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::sandbox::{drawer::Drawer, refusal::Refusal};

/// By the name of their accounts, such as `test1@test`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(in crate::sandbox) struct Staff {
    clerks: Drawer<Clerk, MOST_CLERKS>,
    hired: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Clerk {
    number: u64,
    nickname: String,
}

impl Staff {
    /// A new account: 65406 where there is one, 65405 beyond a hundred.
    pub(in crate::sandbox) fn add(&mut self, name: &str, nickname: &str) -> Result<(), Refusal> {
        check_name(name)?;
        check_nickname(nickname)?;
        if self.clerks.find(name).is_some() {
            return Err(Refusal::new(65406));
        }
        if self.clerks.len() >= MOST_CLERKS {
            return Err(Refusal::new(65405));
        }
        self.hired = self.hired.saturating_add(1);
        let clerk = Clerk {
            number: FIRST_NUMBER.saturating_add(self.hired),
            nickname: nickname.to_owned(),
        };
        self.clerks.put(name, clerk)
    }

    /// Another nickname: 65401 where there is no such account.
    pub(in crate::sandbox) fn rename(&mut self, name: &str, nickname: &str) -> Result<(), Refusal> {
        check_nickname(nickname)?;
        let clerk = self.clerks.find_mut(name).ok_or_else(|| Refusal::new(65401))?;
        clerk.nickname = nickname.to_owned();
        Ok(())
    }

    /// Takes an account away: 65401 where there is none.
    pub(in crate::sandbox) fn dismiss(&mut self, name: &str) -> Result<(), Refusal> {
        self.clerks.take(name).map(|_| ()).ok_or_else(|| Refusal::new(65401))
    }

    /// All, as `getkflist` tells them.
    pub(in crate::sandbox) fn to_json(&self) -> Vec<Value> {
        let all = self.clerks.iter().map(|(name, clerk)| {
            json!({
                "kf_account": name,
                "kf_nick": clerk.nickname,
                "kf_id": clerk.number,
                "kf_headimgurl": "",
            })
        });
        all.collect()
    }
}

/// 65404 for a name without `@` or with strange signs in front of it.
fn check_name(name: &str) -> Result<(), Refusal> {
    let is_plain = |part: &str| {
        let signs = part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        signs && (1..=MOST_NAME_BYTES).contains(&part.len())
    };
    let is_good = name.split_once('@').is_some_and(|(own, of)| is_plain(own) && is_plain(of));
    if is_good { Ok(()) } else { Err(Refusal::new(65404)) }
}

fn check_nickname(nickname: &str) -> Result<(), Refusal> {
    let is_good = (1..=MOST_NICKNAME_CHARACTERS).contains(&nickname.chars().count());
    if is_good { Ok(()) } else { Err(Refusal::new(65403)) }
}

const MOST_CLERKS: usize = 100;
const FIRST_NUMBER: u64 = 1000;
/// "At most 10 characters", and 16 for a nickname: from error pages, not confirmed.
const MOST_NAME_BYTES: usize = 30;
const MOST_NICKNAME_CHARACTERS: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clerks_are_hired_renamed_and_dismissed() {
        let mut staff = Staff::default();
        let code = |result: Result<(), Refusal>| result.map_or_else(|r| r.errcode, |()| 0);
        assert_eq!(code(staff.add("test1@test", "客服1")), 0);
        assert_eq!(code(staff.add("test1@test", "客服1")), 65406);
        assert_eq!(code(staff.add("test1", "客服1")), 65404);
        assert_eq!(code(staff.add("test2@test", "")), 65403);
        assert_eq!(code(staff.rename("test1@test", "客服2")), 0);
        assert_eq!(staff.to_json()[0]["kf_nick"], "客服2");
        assert_eq!(code(staff.rename("test9@test", "x")), 65401);
        assert_eq!(code(staff.dismiss("test1@test")), 0);
        assert_eq!(code(staff.dismiss("test1@test")), 65401);
        assert!((0..100).all(|n| staff.add(&format!("a{n}@t"), "x").is_ok()));
        assert_eq!(code(staff.add("last@t", "x")), 65405);
    }
}
