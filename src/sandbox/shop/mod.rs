//! The custom transaction component: what `/shop/*` is about.
//!
//! Here live its things (products, orders, after-sales …), each with its states, and the calls
//! that move them. What is common to all calls of the platform lives one room up.

mod access;
pub(super) mod access_calls;
mod admission;
mod aftersale;
mod aftersale_book;
mod aftersale_calls;
mod aftersale_form;
mod aftersale_list;
mod aftersale_moves;
mod aftersale_room;
pub(super) mod aftersale_switches;
pub(super) mod aftersale_time;
mod answer;
pub(super) mod applyment;
mod applyment_calls;
pub(super) mod argument;
pub(super) mod audit;
mod audit_calls;
pub(super) mod audits;
mod bank;
mod buyer_application;
mod category;
mod check;
pub(super) mod code;
mod company;
pub(super) mod complaint;
mod complaint_calls;
pub(super) mod component_settings;
pub(super) mod coupon;
mod coupon_calls;
mod coupon_form;
mod delivery_calls;
mod demand;
#[cfg(test)]
mod event_shapes;
#[cfg(test)]
mod every_call;
#[cfg(test)]
mod every_call_rows;
#[cfg(test)]
mod every_call_shop;
pub(super) mod fields;
pub(super) mod fire;
mod fire_aftersale;
mod fire_audit;
mod fire_order;
mod fire_person;
mod fire_subject;
pub(super) mod funds;
mod funds_calls;
#[cfg(test)]
mod hostile;
mod image_calls;
mod merchant;
mod old_aftersale;
mod old_aftersale_calls;
pub(super) mod order;
mod order_book;
mod order_calls;
mod order_form;
mod order_list;
pub(super) mod order_moves;
mod pay_order;
mod pay_order_calls;
pub(super) mod pay_order_moves;
#[cfg(test)]
mod pay_order_test;
mod payment_params;
mod picture;
#[cfg(test)]
mod pitfalls;
mod product;
pub(super) mod product_audit;
mod product_calls;
mod product_change;
mod product_form;
mod product_list;
mod product_shelf;
pub(super) mod promoter;
#[cfg(test)]
mod random_walk;
pub(super) mod scene_audit;
mod shape;
pub(super) mod sharer;
mod sharer_calls;
mod sharer_sales;
pub(super) mod shop_due;
pub(super) mod switches;
#[cfg(test)]
pub(super) mod testing;
pub(super) mod trace;
mod user_coupon;
pub(super) mod withdrawal;

use serde::{Deserialize, Serialize};

pub(super) use self::admission::admit;
use self::{
    access::Access, aftersale_book::AftersaleBook, applyment::Applyment, audit::Audits,
    complaint::Complaints, coupon::Coupons, funds::Funds, merchant::Merchant,
    old_aftersale::OldAftersales, order_book::OrderBook, pay_order::PayOrders,
    product_shelf::Shelf, sharer::Sharers, trace::Traces,
};
use super::dispatch::CallSpec;

/// All calls of the component, one list a family.
pub(super) const FAMILIES: &[&[CallSpec]] = &[
    access_calls::CALLS,
    aftersale_calls::CALLS,
    applyment_calls::CALLS,
    audit_calls::CALLS,
    bank::CALLS,
    complaint_calls::CALLS,
    coupon_calls::CALLS,
    delivery_calls::CALLS,
    funds_calls::CALLS,
    image_calls::CALLS,
    merchant::CALLS,
    old_aftersale_calls::CALLS,
    order_calls::CALLS,
    pay_order_calls::CALLS,
    product_calls::CALLS,
    promoter::CALLS,
    sharer_calls::CALLS,
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
    /// After-sales.
    pub(super) aftersales: AftersaleBook,
    /// After-sales of before the upgrade.
    pub(super) old_aftersales: OldAftersales,
    /// Ids of attribution.
    pub(super) traces: Traces,
    /// Coupons.
    pub(super) coupons: Coupons,
    /// Sharers.
    pub(super) sharers: Sharers,
    /// The application for the dedicated merchant account.
    pub(super) applyment: Applyment,
    /// Orders of the payment management.
    pub(super) pay_orders: PayOrders,
    /// Money of the dedicated merchant account.
    pub(super) funds: Funds,
    /// Disputes.
    pub(super) complaints: Complaints,
}
