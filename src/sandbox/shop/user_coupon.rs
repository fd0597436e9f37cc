//! A coupon in the hands of a user.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    coupon::{CouponState, Coupons},
    demand,
    shop_due::ShopDue,
};
use crate::sandbox::{due::Due, refusal::Refusal, settings::Settings, world::World};

/// One of them.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct UserCoupon {
    out_coupon_id: String,
    openid: String,
    state: UserCouponState,
    /// Position in the order of receipt.
    number: usize,
    /// Between which times it can be used, Unix seconds.
    from_s: i64,
    until_s: i64,
    created_s: i64,
    updated_s: i64,
    /// When it was used, Unix seconds; 0 before.
    used_s: u64,
}

/// Where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum UserCouponState {
    /// It can be used.
    Effective,
    /// Its time is over.
    Expired,
    /// It was used.
    Used,
}

impl UserCouponState {
    /// 100, 101 or 102.
    pub(in crate::sandbox) fn find(
        number: Option<u64>,
        settings: &Settings,
    ) -> Result<Self, Refusal> {
        match number {
            Some(100) => Ok(Self::Effective),
            Some(101) => Ok(Self::Expired),
            Some(102) => Ok(Self::Used),
            _ => Err(demand::wrong(settings, "status is 100, 101 or 102")),
        }
    }

    fn number(self) -> u64 {
        match self {
            Self::Effective => 100,
            Self::Expired => 101,
            Self::Used => 102,
        }
    }
}

/// What names a user coupon in a call.
#[derive(Clone, Copy)]
pub(in crate::sandbox) struct Names<'a> {
    /// Whose it is.
    pub(in crate::sandbox) openid: &'a str,
    /// Which coupon.
    pub(in crate::sandbox) out_coupon_id: &'a str,
    /// Which piece of it.
    pub(in crate::sandbox) out_user_coupon_id: &'a str,
}

impl UserCoupon {
    /// Moves it. One whose time is over does not become usable again.
    pub(in crate::sandbox) fn shift(
        &mut self,
        state: UserCouponState,
        now_s: i64,
        settings: &Settings,
    ) -> Result<(), Refusal> {
        if state == UserCouponState::Effective && now_s > self.until_s {
            return Err(demand::wrong(settings, "the time of the coupon is over"));
        }
        self.state = state;
        self.updated_s = now_s;
        Ok(())
    }

    /// Notes when it was used, which only a used one can say.
    pub(in crate::sandbox) fn change(
        &mut self,
        used_s: Option<u64>,
        now_s: i64,
        settings: &Settings,
    ) -> Result<(), Refusal> {
        if used_s.is_some_and(|used_s| used_s > 0) && self.state != UserCouponState::Used {
            return Err(demand::wrong(settings, "use_time is for a coupon of status 102"));
        }
        self.used_s = used_s.unwrap_or(self.used_s);
        self.updated_s = now_s;
        Ok(())
    }

    /// As the list shows it.
    pub(in crate::sandbox) fn to_json(&self, id: &str) -> Value {
        json!({
            "out_user_coupon_id": id,
            "out_coupon_id": self.out_coupon_id,
            "openid": self.openid,
            "status": self.state.number(),
            "start_time": self.from_s,
            "end_time": self.until_s,
            "create_time": self.created_s,
            "update_time": self.updated_s,
            "ext_info": { "use_time": self.used_s },
        })
    }
}

impl Coupons {
    /// What all three names name together.
    pub(in crate::sandbox) fn held_by(
        &mut self,
        names: Names<'_>,
        settings: &Settings,
    ) -> Result<&mut UserCoupon, Refusal> {
        let found = self.held.get_mut(names.out_user_coupon_id);
        let found = found.filter(|found| {
            found.openid == names.openid && found.out_coupon_id == names.out_coupon_id
        });
        found.ok_or_else(|| demand::wrong(settings, "the user has no such coupon"))
    }

    /// All that a user holds with their ids, in the order of receipt.
    pub(in crate::sandbox) fn all_of(&self, openid: &str) -> Vec<(&str, &UserCoupon)> {
        let held = self.held.iter().filter(|(_, one)| one.openid == openid);
        let mut held: Vec<_> = held.map(|(id, one)| (id.as_str(), one)).collect();
        held.sort_by_key(|(_, one)| one.number);
        held
    }

    /// How many of a coupon the user and everybody together hold.
    fn given(&self, out_coupon_id: &str, openid: &str) -> (u64, u64) {
        let all = self.held.values().filter(|one| one.out_coupon_id == out_coupon_id);
        all.fold((0, 0), |(own, all), one| (own + u64::from(one.openid == openid), all + 1))
    }
}

/// Gives a coupon to a user: one that is effective, within its time, its limit for a person and
/// its total.
pub(in crate::sandbox) fn give(
    world: &mut World<'_>,
    names: Names<'_>,
    state: UserCouponState,
    received_s: i64,
) -> Result<(), Refusal> {
    let settings = &world.state.settings;
    let coupons = &mut world.state.shop.coupons;
    let refuse = |what: &str| Err(demand::wrong(settings, what));
    if coupons.held.contains_key(names.out_user_coupon_id) {
        return refuse("out_user_coupon_id is taken");
    }
    if coupons.held.len() >= MOST_HELD {
        return Err(demand::full());
    }
    let (own, all) = coupons.given(names.out_coupon_id, names.openid);
    let number = coupons.held.len();
    let coupon = coupons.find(names.out_coupon_id, settings)?;
    if coupon.state != CouponState::Effective {
        return refuse("only a coupon of status 2 is given out");
    }
    if !(coupon.terms.receive_from_s..=coupon.terms.receive_until_s).contains(&received_s) {
        return refuse("recv_time is not within receive_info");
    }
    if own >= coupon.terms.most_per_person {
        return refuse("the user has limit_num_one_person of them");
    }
    if all >= coupon.terms.most {
        return refuse("total_num of them are given out");
    }
    let (from_s, until_s) = coupon.terms.usable(received_s);
    let now_s = world.now_ms / 1000;
    let given = UserCoupon {
        out_coupon_id: names.out_coupon_id.to_owned(),
        openid: names.openid.to_owned(),
        state,
        number,
        from_s,
        until_s,
        created_s: now_s,
        updated_s: now_s,
        used_s: 0,
    };
    let id = names.out_user_coupon_id.to_owned();
    coupons.held.insert(id.clone(), given);
    if settings.shop.coupons_expire && state == UserCouponState::Effective {
        // A second later: it can be used in its last second.
        let left_ms = until_s.saturating_sub(now_s).saturating_add(1).saturating_mul(1000);
        world.later(left_ms, Due::Shop(ShopDue::UserCouponEnd { out_user_coupon_id: id }));
    }
    Ok(())
}

/// Ends what a user holds when its time is over, unless it was used.
pub(in crate::sandbox) fn end_due(world: &mut World<'_>, id: &str) {
    let held = world.state.shop.coupons.held.get_mut(id);
    if let Some(held) = held.filter(|held| held.state == UserCouponState::Effective) {
        held.state = UserCouponState::Expired;
        held.updated_s = world.now_ms / 1000;
    }
}

const MOST_HELD: usize = 100_000;
