//! The limits of a configuration, with their patterns compiled.

use std::{num::NonZeroU32, sync::Arc};

use crate::{
    access::pattern::{BadPattern, PathPattern},
    base::{
        name::Name,
        units::{Per, Rate},
    },
    config::model::{Account, Limits, PathLimit},
};

/// What `[limits]` and `[[account.limit]]` say. Once made, it can be applied without failing.
#[derive(Clone, Debug, Default)]
pub struct LimitSettings {
    pub(super) per_key: Option<Rate>,
    pub(super) accounts: Vec<(Name, Vec<PathRule>)>,
}

/// One `[[account.limit]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PathRule {
    pub(super) pattern: PathPattern,
    pub(super) rate: Rate,
    pub(super) burst: NonZeroU32,
}

impl LimitSettings {
    /// Compiles all limits of a configuration.
    ///
    /// # Errors
    /// [`BadPattern`] for the first path that is none.
    pub fn new(limits: &Limits, accounts: &[Arc<Account>]) -> Result<Self, BadPattern> {
        let mut this = Self { per_key: limits.per_key, accounts: Vec::new() };
        for account in accounts {
            this.limit_account(&account.name, &account.limits)?;
        }
        Ok(this)
    }

    /// Adds the limits of one account. What is written twice counts once; of two limits a day
    /// for one path, which share a counter, only the smaller can ever refuse.
    pub(super) fn limit_account(
        &mut self,
        account: &Name,
        limits: &[PathLimit],
    ) -> Result<(), BadPattern> {
        let mut rules: Vec<PathRule> = Vec::new();
        for limit in limits {
            let pattern = PathPattern::parse(&limit.path)?;
            let rule = PathRule { pattern, rate: limit.rate, burst: limit.burst };
            let is_same_day = |other: &&mut PathRule| {
                (other.rate.per, rule.rate.per) == (Per::Day, Per::Day)
                    && other.pattern == rule.pattern
            };
            if let Some(other) = rules.iter_mut().find(is_same_day) {
                other.rate.calls = other.rate.calls.min(rule.rate.calls);
            } else if !rules.contains(&rule) {
                rules.push(rule);
            }
        }
        if !rules.is_empty() {
            self.accounts.push((account.clone(), rules));
        }
        Ok(())
    }
}
