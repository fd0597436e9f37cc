//! The coupons of a shop.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    coupon_form::Terms, demand, shop_due::ShopDue, switches::CouponConfirm, user_coupon::UserCoupon,
};
use crate::sandbox::{due::Due, refusal::Refusal, settings::Settings, world::World};

/// All coupons of an account, with what users hold of them.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(in crate::sandbox) struct Coupons {
    is_confirmed: bool,
    coupons: BTreeMap<String, Coupon>,
    /// By the merchant's id of the user coupon.
    pub(in crate::sandbox) held: BTreeMap<String, UserCoupon>,
    added: u64,
    held_bytes: usize,
}

/// One coupon.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::sandbox) struct Coupon {
    /// What it promises.
    pub(in crate::sandbox) terms: Terms,
    /// Where it stands.
    pub(in crate::sandbox) state: CouponState,
    /// What the merchant says is left and was given out.
    stock: Stock,
    /// From 1 in the order of creation.
    number: u64,
    size_bytes: usize,
    created_s: i64,
    updated_s: i64,
    /// When it took effect; 0 before.
    effective_s: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct Stock {
    left: u64,
    given: u64,
    updated_s: i64,
}

/// Where a coupon stands; only forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::sandbox) enum CouponState {
    /// It may still be changed.
    Editing,
    /// It is given out.
    Effective,
    /// Its time is over.
    Expired,
    /// The merchant took it back.
    Void,
}

impl CouponState {
    /// As the platform numbers it.
    pub(in crate::sandbox) fn number(self) -> u64 {
        match self {
            Self::Editing => 1,
            Self::Effective => 2,
            Self::Expired => 3,
            Self::Void => 4,
        }
    }

    fn find(number: u64) -> Option<Self> {
        [Self::Editing, Self::Effective, Self::Expired, Self::Void]
            .into_iter()
            .find(|state| state.number() == number)
    }
}

impl Coupons {
    /// Whether `/shop/coupon/confirm` has succeeded.
    pub(in crate::sandbox) fn is_confirmed(&self) -> bool {
        self.is_confirmed
    }

    /// The coupon of that id.
    pub(in crate::sandbox) fn find(
        &mut self,
        id: &str,
        settings: &Settings,
    ) -> Result<&mut Coupon, Refusal> {
        let found = self.coupons.get_mut(id);
        found.ok_or_else(|| demand::wrong(settings, "out_coupon_id is not known"))
    }

    /// Writes a new coupon down; `size_bytes` is what its form took.
    pub(in crate::sandbox) fn add(
        &mut self,
        id: &str,
        terms: Terms,
        size_bytes: usize,
        now_s: i64,
        settings: &Settings,
    ) -> Result<(), Refusal> {
        if self.coupons.contains_key(id) {
            return Err(demand::wrong(settings, "out_coupon_id is taken"));
        }
        if self.coupons.len() >= MOST_COUPONS || self.held_bytes + size_bytes > MOST_BYTES {
            return Err(demand::full());
        }
        self.added += 1;
        self.held_bytes += size_bytes;
        let coupon = Coupon {
            stock: Stock { left: terms.most, given: 0, updated_s: now_s },
            terms,
            state: CouponState::Editing,
            number: self.added,
            size_bytes,
            created_s: now_s,
            updated_s: now_s,
            effective_s: 0,
        };
        self.coupons.insert(id.to_owned(), coupon);
        Ok(())
    }

    /// Writes a coupon anew, as long as it is being edited. Its stock begins anew too.
    pub(in crate::sandbox) fn change(
        &mut self,
        id: &str,
        terms: Terms,
        size_bytes: usize,
        now_s: i64,
        settings: &Settings,
    ) -> Result<(), Refusal> {
        let held_bytes = self.held_bytes;
        let coupon = self.find(id, settings)?;
        if coupon.state != CouponState::Editing {
            return Err(demand::wrong(settings, "only a coupon of status 1 can be updated"));
        }
        let now_held = held_bytes - coupon.size_bytes + size_bytes;
        if now_held > MOST_BYTES {
            return Err(demand::full());
        }
        coupon.size_bytes = size_bytes;
        coupon.stock = Stock { left: terms.most, given: 0, updated_s: now_s };
        coupon.terms = terms;
        coupon.updated_s = now_s;
        self.held_bytes = now_held;
        Ok(())
    }

    /// All coupons with their ids, in the order of creation.
    pub(in crate::sandbox) fn all(&self) -> Vec<(&str, &Coupon)> {
        let mut all: Vec<_> = self.coupons.iter().map(|(id, one)| (id.as_str(), one)).collect();
        all.sort_by_key(|(_, coupon)| coupon.number);
        all
    }
}

impl Coupon {
    /// Takes over what the merchant says of the stock.
    pub(in crate::sandbox) fn count(
        &mut self,
        left: u64,
        given: u64,
        now_s: i64,
        settings: &Settings,
    ) -> Result<(), Refusal> {
        if left.saturating_add(given) > self.terms.most {
            let what = "issued_num and receive_num together are more than total_num";
            return Err(demand::wrong(settings, what));
        }
        self.stock = Stock { left, given, updated_s: now_s };
        Ok(())
    }

    /// As the calls show it.
    pub(in crate::sandbox) fn to_json(&self, id: &str, app_id: &str) -> Value {
        let mut coupon = Value::Object(self.terms.fields.clone());
        coupon["out_coupon_id"] = json!(id);
        coupon["status"] = json!(self.state.number());
        coupon["create_time"] = json!(self.created_s);
        coupon["update_time"] = json!(self.updated_s);
        coupon["appid"] = json!(app_id);
        if let Some(info) = coupon.get_mut("coupon_info").and_then(Value::as_object_mut) {
            info.insert("ext_info".to_owned(), json!({ "valid_time": self.effective_s }));
        }
        coupon
    }

    /// Its stock as the list shows it.
    pub(in crate::sandbox) fn stock_json(&self, id: &str) -> Value {
        json!({
            "out_coupon_id": id,
            "stock_info": { "issued_num": self.stock.left, "receive_num": self.stock.given },
            "create_time": self.created_s,
            "update_time": self.stock.updated_s,
        })
    }
}

/// Tells the merchant's system of a coupon that serves as a test, and takes its answer as the
/// switch says.
pub(in crate::sandbox) fn confirm(world: &mut World<'_>) -> Result<(), Refusal> {
    ask(world, "test_coupon", "test_coupon_request_id");
    match world.state.settings.shop.coupon_confirm {
        CouponConfirm::Accept => {
            world.state.shop.coupons.is_confirmed = true;
            Ok(())
        }
        CouponConfirm::Refuse => Err(Refusal::new(1_090_020)),
        CouponConfirm::Unreachable => Err(Refusal::new(1_090_032)),
    }
}

/// Asks the merchant's system for a coupon, as when a user takes one in a live. The answer to
/// that push is data, which whoever delivers it has to read.
pub(in crate::sandbox) fn ask(world: &mut World<'_>, out_coupon_id: &str, request_id: &str) {
    let fields = [("out_coupon_id", out_coupon_id), ("request_id", request_id)];
    let fields = fields.map(|(name, value)| (name.to_owned(), Value::from(value)));
    world.tell("open_product_receive_coupon", Map::from_iter(fields));
}

/// Moves a coupon on: 1 to 2, then 2 to 3 or 4.
pub(in crate::sandbox) fn shift(
    world: &mut World<'_>,
    id: &str,
    status: u64,
) -> Result<(), Refusal> {
    let settings = &world.state.settings;
    let now_s = world.now_ms / 1000;
    let coupon = world.state.shop.coupons.find(id, settings)?;
    let wanted = CouponState::find(status).filter(|wanted| match coupon.state {
        CouponState::Editing => *wanted == CouponState::Effective,
        CouponState::Effective => matches!(wanted, CouponState::Expired | CouponState::Void),
        CouponState::Expired | CouponState::Void => false,
    });
    let from = coupon.state.number();
    coupon.state = wanted.ok_or_else(|| {
        demand::wrong(settings, format_args!("status does not go from {from} to {status}"))
    })?;
    coupon.updated_s = now_s;
    if coupon.state == CouponState::Effective {
        coupon.effective_s = now_s;
        let left_ms = coupon.terms.end_s().saturating_sub(now_s).saturating_mul(1000);
        if settings.shop.coupons_expire {
            world.later(left_ms, Due::Shop(ShopDue::CouponEnd { out_coupon_id: id.to_owned() }));
        }
    }
    Ok(())
}

/// Ends a coupon whose time is over, unless somebody has ended it before.
pub(in crate::sandbox) fn end_due(world: &mut World<'_>, id: &str) {
    let settings = &world.state.settings;
    let found = world.state.shop.coupons.find(id, settings).ok();
    if let Some(coupon) = found.filter(|coupon| coupon.state == CouponState::Effective) {
        coupon.state = CouponState::Expired;
        coupon.updated_s = world.now_ms / 1000;
    }
}

const MOST_COUPONS: usize = 10_000;
const MOST_BYTES: usize = 32 << 20;
