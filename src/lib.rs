//! wxgate: one machine on the allow-list, and the whole team can call.

pub mod access;
pub mod app;
pub mod base;
pub mod capture;
pub mod cli;
pub mod config;
pub mod control;
pub mod edge;
pub mod postman;
pub mod proxy;
pub mod sandbox;
pub mod scenario;
pub mod store;
pub mod token;
pub mod upstream;
pub mod wechat;
pub mod wire;
