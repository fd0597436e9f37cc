//! The accounts of a sandbox, found by name, token or secret.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{SandboxError, account::Account, query::Query, token_ledger::tag_of};
use crate::base::kind::AccountKind;

/// Never changed: adding an account makes a new roster, so that calls read it without a lock.
#[derive(Clone, Debug, Default)]
pub(super) struct Roster {
    by_name: BTreeMap<String, Arc<Account>>,
    by_tag: HashMap<String, Arc<Account>>,
}

impl Roster {
    /// A roster with `account` too, in place of the one of that name.
    pub(super) fn with(&self, account: Arc<Account>) -> Result<Self, SandboxError> {
        let identity = &account.identity;
        let bad = |reason| SandboxError::Account { name: identity.name.clone(), reason };
        if identity.name.is_empty() || identity.name.contains('/') {
            return Err(bad("a name must not be empty and must not hold a slash"));
        }
        if identity.app_id.is_empty() || identity.app_secret.is_empty() {
            return Err(bad("AppID and AppSecret must not be empty"));
        }
        let mut next = self.without(&identity.name);
        let is_taken = next.by_name.values().any(|other| {
            other.identity.app_id == identity.app_id
                && other.identity.app_secret == identity.app_secret
        });
        if is_taken {
            return Err(bad("another account has the same AppID and AppSecret"));
        }
        if next.by_tag.contains_key(&account.tag) {
            return Err(bad("its tokens could not be told from those of another account"));
        }
        next.by_tag.insert(account.tag.clone(), account.clone());
        next.by_name.insert(identity.name.clone(), account);
        Ok(next)
    }

    /// A roster without the account called `name`.
    pub(super) fn without(&self, name: &str) -> Self {
        let mut next = self.clone();
        next.by_name.remove(name);
        next.by_tag.retain(|_, account| account.identity.name != name);
        next
    }

    /// The account called `name`.
    pub(super) fn by_name(&self, name: &str) -> Option<Arc<Account>> {
        self.by_name.get(name).cloned()
    }

    /// The account that issued `token`, if it looks like one of ours.
    pub(super) fn by_token(&self, token: &str) -> Option<Arc<Account>> {
        self.by_tag.get(tag_of(token)?).cloned()
    }

    /// The account with that AppID, and whether it has that secret too. The secret decides
    /// where several share the AppID.
    pub(super) fn by_secret(&self, app_id: &str, secret: &str) -> (Option<Arc<Account>>, bool) {
        let mut candidates = self.by_name.values().filter(|a| a.identity.app_id == app_id);
        let right = candidates.clone().find(|a| a.identity.app_secret == secret);
        match right {
            Some(account) => (Some(account.clone()), true),
            None => (candidates.next().cloned(), false),
        }
    }

    /// All accounts but the one called `name`.
    pub(super) fn others(&self, name: &str) -> impl Iterator<Item = &Account> {
        let all = self.by_name.values().map(Arc::as_ref);
        all.filter(move |account| account.identity.name != name)
    }

    /// Whether some company's app has that secret.
    pub(super) fn is_secret(&self, secret: &str) -> bool {
        let is_corp = |account: &Account| account.identity.kind == AccountKind::Wecom;
        self.by_name.values().any(|a| is_corp(a) && a.identity.app_secret == secret)
    }

    /// The account of that kind with that AppID; the first by name where several share it.
    pub(super) fn by_app_id(
        &self,
        app_id: &str,
        is_kind: impl Fn(AccountKind) -> bool,
    ) -> Option<Arc<Account>> {
        let is_meant = |a: &&Arc<Account>| a.identity.app_id == app_id && is_kind(a.identity.kind);
        let meant = self.by_name.values().filter(is_meant);
        meant.min_by_key(|account| &account.identity.name).cloned()
    }

    /// All third-party platforms.
    pub(super) fn open_platforms(&self) -> impl Iterator<Item = &Account> {
        let all = self.by_name.values().map(Arc::as_ref);
        all.filter(|account| account.identity.kind == AccountKind::OpenPlatform)
    }

    /// Whose call it is as far as the query tells: that of its token, or the only account.
    pub(super) fn owner(&self, query: &Query<'_>) -> Option<Arc<Account>> {
        query.token().and_then(|token| self.by_token(token)).or_else(|| self.sole())
    }

    /// The only account, where there is only one.
    pub(super) fn sole(&self) -> Option<Arc<Account>> {
        let mut accounts = self.by_name.values();
        accounts.next().filter(|_| accounts.next().is_none()).cloned()
    }

    /// All accounts, by name.
    pub(super) fn all(&self) -> impl Iterator<Item = &Arc<Account>> {
        self.by_name.values()
    }

    /// All names, sorted.
    pub(super) fn names(&self) -> Vec<String> {
        self.by_name.keys().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::SandboxAccount, *};
    use crate::sandbox::account::Origin;

    fn account(name: &str, secret: &str) -> Arc<Account> {
        let identity = SandboxAccount {
            name: name.to_owned(),
            kind: AccountKind::MiniProgram,
            app_id: "wx1".to_owned(),
            app_secret: secret.to_owned(),
        };
        let origin = Origin { seed: 1, is_repeatable: false, token_life_s: 7200 };
        Arc::new(Account::new(identity, origin, Arc::default()))
    }

    #[test]
    fn two_accounts_with_one_app_id_are_told_apart_by_their_secrets() {
        let roster = Roster::default().with(account("shop", "a")).unwrap();
        assert!(roster.sole().is_some());
        let roster = roster.with(account("shop~sandbox", "b")).unwrap();
        assert!(roster.sole().is_none());
        let found = |secret| roster.by_secret("wx1", secret);
        assert_eq!(found("b").0.unwrap().identity.name, "shop~sandbox");
        assert!(found("a").1 && !found("c").1);
        assert!(roster.by_secret("wx2", "a").0.is_none());
        let roster = roster.without("shop");
        assert_eq!(roster.names(), ["shop~sandbox"]);
        assert!(roster.by_token(&format!("12_{}", account("shop", "a").tag)).is_none());
    }

    #[test]
    fn accounts_that_could_not_be_found_again_are_refused() {
        let roster = Roster::default().with(account("shop", "a")).unwrap();
        assert!(roster.with(account("other", "a")).is_err());
        assert!(roster.with(account("", "b")).is_err());
        assert!(roster.with(account("a/b", "b")).is_err());
        assert!(roster.with(account("c", "")).is_err());
    }
}
