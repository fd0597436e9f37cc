//! What an account keeps to show: materials, drafts and publications, links and codes.

mod drafts;
mod links;
mod materials;
pub(super) mod publications;

pub(super) use drafts::{Draft, Drafts, shown};
pub(super) use links::{Link, Links, Scene, ShortText};
pub(super) use materials::{Material, Materials};
pub(super) use publications::{Publication, Publications};
