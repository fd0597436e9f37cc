//! The custom transaction component: what `/shop/*` is about.
//!
//! Here live its things (products, orders, after-sales …), each with its states, and the calls
//! that move them. What is common to all calls of the platform lives one room up.

mod image_calls;
mod product;
pub(super) mod product_audit;
mod product_calls;
mod product_form;
mod product_shelf;

use self::product_shelf::Shelf;
use super::dispatch::CallSpec;

/// All calls of the component, one list a family.
pub(super) const FAMILIES: &[&[CallSpec]] = &[image_calls::CALLS, product_calls::CALLS];

/// Everything that an account has in the component.
#[derive(Debug, Default)]
pub(super) struct Shop {
    /// Products.
    pub(super) products: Shelf,
}
