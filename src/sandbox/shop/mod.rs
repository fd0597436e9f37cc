//! The custom transaction component: what `/shop/*` is about.
//!
//! Here live its things (products, orders, after-sales …), each with its states, and the calls
//! that move them. What is common to all calls of the platform lives one room up.

mod access;
pub(super) mod access_calls;
mod admission;
mod answer;
pub(super) mod argument;
pub(super) mod audit;
mod audit_calls;
mod category;
mod check;
mod company;
pub(super) mod coupon;
mod coupon_calls;
mod coupon_form;
mod delivery_calls;
mod demand;
pub(super) mod fields;
mod image_calls;
mod merchant;
pub(super) mod order;
mod order_book;
mod order_calls;
mod order_form;
mod order_list;
pub(super) mod order_moves;
mod payment_params;
mod picture;
mod product;
pub(super) mod product_audit;
mod product_calls;
mod product_change;
mod product_form;
mod product_list;
mod product_shelf;
pub(super) mod scene_audit;
mod shape;
pub(super) mod shop_due;
pub(super) mod switches;
#[cfg(test)]
pub(super) mod testing;
pub(super) mod trace;
mod user_coupon;

use serde::{Deserialize, Serialize};

pub(super) use self::admission::admit;
use self::{
    access::Access, audit::Audits, coupon::Coupons, merchant::Merchant, order_book::OrderBook,
    product_shelf::Shelf, trace::Traces,
};
use super::dispatch::CallSpec;

/// All calls of the component, one list a family.
pub(super) const FAMILIES: &[&[CallSpec]] = &[
    access_calls::CALLS,
    audit_calls::CALLS,
    coupon_calls::CALLS,
    delivery_calls::CALLS,
    image_calls::CALLS,
    merchant::CALLS,
    order_calls::CALLS,
    product_calls::CALLS,
];

/// Everything that an account has in the component.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Shop {
    /// How far the access process has come.
    pub(super) access: Access,
    /// Certificates submitted.
    pub(super) audits: Audits,
    /// What buyers are told.
    pub(super) merchant: Merchant,
    /// Products.
    pub(super) products: Shelf,
    /// Orders.
    pub(super) orders: OrderBook,
    /// Ids of attribution.
    pub(super) traces: Traces,
    /// Coupons.
    pub(super) coupons: Coupons,
}
