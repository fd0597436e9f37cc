//! The real program on port 0 against the real sandbox: one file a promise.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(clippy::print_stderr, reason = "a skip and a failed gateway's log must be seen")]
#![allow(clippy::disallowed_methods, reason = "a test has no drain to wait for")]

mod support;

mod accounts;
mod auth;
mod capture;
mod certificates;
mod first_start;
mod front_door;
mod interceptors;
mod leaks;
mod limits;
mod open_answers;
mod open_platform;
mod postman;
mod retry;
mod scenarios;
mod sdks;
mod shutdown;
mod soak;
mod surrogates;
mod tokens;
mod tools;
mod upstream;
mod wecom;
