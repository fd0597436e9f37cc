//! What the calls do, one file a family. Each has a list of its calls for the table.

mod access_token;
mod article;
pub(super) mod code_picture;
mod customer_message;
mod login;
mod mass_message;
mod material;
mod media;
mod menu;
mod mini_program_code;
mod page_link;
mod page_ticket;
mod qr_code;
mod quota;
mod rid;
mod servers;
mod shipping;
mod shipping_settings;
mod staff;
mod subscribe_message;
mod template_message;
mod user;
mod user_check;
mod user_tag;
mod web_login;

#[cfg(test)]
pub(super) mod bench;
#[cfg(test)]
mod hostile;

pub(super) use self::{
    login::{login_session, login_user},
    media::file,
};
use super::dispatch::CallSpec;

/// All families.
pub(super) const FAMILIES: &[&[CallSpec]] = &[
    access_token::CALLS,
    quota::CALLS,
    rid::CALLS,
    page_ticket::CALLS,
    servers::CALLS,
    customer_message::CALLS,
    mini_program_code::CALLS,
    media::CALLS,
    material::CALLS,
    article::CALLS,
    qr_code::CALLS,
    page_link::CALLS,
    user_check::CALLS,
    shipping::CALLS,
    shipping_settings::CALLS,
    login::CALLS,
    web_login::CALLS,
    user::CALLS,
    user_tag::CALLS,
    menu::CALLS,
    template_message::CALLS,
    subscribe_message::CALLS,
    mass_message::CALLS,
    staff::CALLS,
];
