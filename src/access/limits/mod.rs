//! Rate limits: so many calls a second, minute or hour by token bucket, a day by counter.
//!
//! The platform's own quotas are watched in `quota.rs`, requests at once in `slots.rs`.

mod bucket;
mod counter_table;
mod day_book;
mod limiter;
mod meter;
mod rules;
mod settings;
mod standing;
#[cfg(test)]
mod tests;

pub use limiter::Limiter;
pub use settings::LimitSettings;
pub use standing::{LimitName, Limited, Standing};
