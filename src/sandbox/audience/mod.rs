//! The users of an account, and what it has for them.
//!
//! Followers with their tags, menus, templates and what was sent to whom live here. Every
//! account has a small audience of its own from the start.

mod broadcasts;
pub(super) mod buttons;
mod follower;
pub(super) mod industries;
mod menus;
pub(super) mod message_values;
mod staff;
mod tags;
pub(super) mod template_library;
pub(super) mod templates;
mod user_tokens;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub(super) use broadcasts::{Broadcast, Broadcasts, Earlier};
pub(super) use follower::Follower;
pub(super) use menus::{Menus, Rule};
pub(super) use staff::Staff;
pub(super) use tags::Tags;
pub(super) use templates::{Template, Templates};
pub(super) use user_tokens::{Grant, UserTokens};

use super::{openid, refusal::Refusal, settings::Settings};

/// Followers by openid, which is the order that lists have, and their tags.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Audience {
    followers: BTreeMap<String, Follower>,
    /// Tags that followers can have.
    pub(super) tags: Tags,
    is_founded: bool,
}

impl Audience {
    /// Lets the first followers in, once. They follow since one day, two days and so on.
    pub(super) fn found(&mut self, app_id: &str, now_ms: i64) {
        if std::mem::replace(&mut self.is_founded, true) {
            return;
        }
        for n in 1..=FOUNDERS {
            let since_ms = now_ms - n * 86_400_000;
            self.followers
                .insert(openid::derived(app_id, &format!("follower {n}")), Follower::new(since_ms));
        }
    }

    /// The follower of that openid. Whoever is not known begins to follow, unless the
    /// account's switch is strict: 40003.
    pub(super) fn meet(
        &mut self,
        given: Option<&str>,
        settings: &Settings,
        now_ms: i64,
    ) -> Result<&mut Follower, Refusal> {
        let openid = openid::checked(given)?;
        if !self.followers.contains_key(openid) {
            if settings.strict_users {
                return Err(Refusal::new(40003));
            }
            if !self.admit(openid, now_ms) {
                return Err(Refusal::full());
            }
        }
        self.followers.get_mut(openid).ok_or_else(|| Refusal::new(40003))
    }

    /// Lets a user in, as by logging in; false if there is no more room.
    pub(super) fn admit(&mut self, openid: &str, now_ms: i64) -> bool {
        let has_room = self.followers.len() < MOST_FOLLOWERS || self.followers.contains_key(openid);
        if has_room {
            self.followers.entry(openid.to_owned()).or_insert_with(|| Follower::new(now_ms));
        }
        has_room
    }

    /// All followers that `is_wanted`, in the order of their openids.
    pub(super) fn chosen<'a>(
        &'a self,
        is_wanted: impl Fn(&Follower) -> bool + 'a,
    ) -> impl Iterator<Item = &'a str> {
        let chosen = self.followers.iter().filter(move |(_, follower)| is_wanted(follower));
        chosen.map(|(openid, _)| openid.as_str())
    }

    /// How many followers have that tag.
    pub(super) fn tagged(&self, tag: i64) -> usize {
        self.chosen(|follower| follower.tags.contains(&tag)).count()
    }

    /// Deletes a tag, and takes it from all who have it.
    pub(super) fn delete_tag(&mut self, tag: i64) -> Result<(), Refusal> {
        self.tags.delete(tag)?;
        for follower in self.followers.values_mut() {
            follower.tags.retain(|own| *own != tag);
        }
        Ok(())
    }
}

/// Enough for two pages of a small test.
const FOUNDERS: i64 = 20;
const MOST_FOLLOWERS: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_is_there_from_the_start_and_grows_unless_strict() {
        let (mut audience, mut settings) = (Audience::default(), Settings::default());
        audience.found("wx1", 0);
        audience.found("wx1", 0);
        assert_eq!(audience.chosen(|_| true).count(), 20);
        assert!(audience.meet(Some("oNew"), &settings, 0).is_ok());
        assert_eq!(audience.chosen(|_| true).count(), 21);
        settings.strict_users = true;
        let mut errcode =
            |openid| audience.meet(Some(openid), &settings, 0).map(|_| 0).map_err(|r| r.errcode);
        assert_eq!((errcode("oOther"), errcode("oNew")), (Err(40003), Ok(0)));
        assert_eq!(errcode("oNew_errcode_45015"), Err(45015));
    }
}
