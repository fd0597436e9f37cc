//! The platform without its sockets: calls in, replies out.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::{
    SandboxAccount, SandboxError,
    account::{Account, Origin},
    call::{Call, Reply},
    cashier::{self, Links},
    credential::{Asked, Claim, Credential},
    dispatch::{self, CallSpec},
    envelope,
    exchange::{Exchange, reply},
    fault_list::Strike,
    form::{Form, FormKind},
    ids::{Ids, random_seed},
    judge::Case,
    query::Query,
    refusal::Refusal,
    roster::Roster,
    signing,
    sim_clock::{Setting, SimClock},
    snapshot::Snapshot,
    state::State,
    state_file::{Saved, SavedAccount},
};
use crate::base::kind::AccountKind;
use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{Method, Response};
use tokio::sync::Notify;

/// All accounts. Its methods wait for nothing but short locks.
#[derive(Debug)]
pub struct Platform {
    roster: ArcSwap<Roster>,
    /// Held by whoever changes the roster.
    change: Mutex<()>,
    origin: Origin,
    /// For calls that belong to no account.
    rids: Ids,
    /// For accounts that are made.
    ids: Ids,
    clock: SimClock,
    /// Rings when an account has news.
    bell: Arc<Notify>,
    cashier_links: Links,
    /// Rings when there is something to push.
    mail: Arc<Notify>,
}

impl Platform {
    /// A platform without accounts.
    #[must_use]
    pub fn new(seed: Option<u64>, token_life: Duration) -> Self {
        let is_repeatable = seed.is_some();
        let seed = seed.unwrap_or_else(random_seed);
        let token_life_s = u32::try_from(token_life.as_secs()).unwrap_or(u32::MAX);
        Self {
            roster: ArcSwap::default(),
            change: Mutex::default(),
            origin: Origin { seed, is_repeatable, token_life_s },
            rids: Ids::new(seed, "rids"),
            ids: Ids::new(seed, "accounts"),
            clock: SimClock::new(is_repeatable),
            bell: Arc::default(),
            cashier_links: Links::default(),
            mail: Arc::default(),
        }
    }

    /// Adds an account, in place of the one of that name. An account that is there already,
    /// exactly so, keeps its state.
    ///
    /// # Errors
    /// When it could not be told from another account, or not be named.
    pub fn add_account(&self, account: SandboxAccount) -> Result<(), SandboxError> {
        let _change = self.change();
        let is_there = self.account(&account.name).is_some_and(|known| known.identity == account);
        if is_there {
            return Ok(());
        }
        let fresh = Arc::new(Account::new(account, self.origin, self.bell.clone()));
        self.roster.store(Arc::new(self.roster.load().with(fresh)?));
        Ok(())
    }

    /// Takes an account back, or forth, to what `snapshot` tells; an error leaves it as it is.
    pub(super) fn restore(&self, name: &str, snapshot: Snapshot<State>) -> Result<(), String> {
        let _change = self.change();
        let account = self.account(name).ok_or_else(|| format!("there is no account `{name}`"))?;
        let identity = account.identity.clone();
        if snapshot.app_id != identity.app_id {
            let (theirs, ours) = (&snapshot.app_id, &identity.app_id);
            return Err(format!("the snapshot is of AppID {theirs}, the account has {ours}"));
        }
        if snapshot.kind != identity.kind {
            let (theirs, ours) = (snapshot.kind, identity.kind);
            return Err(format!("the snapshot is of kind {theirs}, the account of {ours}"));
        }
        let restored = Account::restored(identity, snapshot, self.origin, self.bell.clone());
        let next =
            self.roster.load().with(Arc::new(restored)).map_err(|error| error.to_string())?;
        self.roster.store(Arc::new(next));
        self.bell.notify_one();
        Ok(())
    }

    /// Takes up what a state file tells, all of it or nothing.
    pub(super) fn resume(&self, saved: Saved) -> Result<(), String> {
        let _change = self.change();
        let mut roster = Roster::clone(&self.roster.load());
        for SavedAccount { app_secret, snapshot } in saved.accounts {
            let snapshot = snapshot.checked()?;
            let (name, app_id) = (snapshot.name.clone(), snapshot.app_id.clone());
            let identity = match roster.by_name(&name) {
                Some(known) if known.identity.app_id != app_id => {
                    let asked = &known.identity.app_id;
                    return Err(format!("`{name}` has AppID {app_id} there, {asked} here"));
                }
                Some(known) => known.identity.clone(),
                None => SandboxAccount { name, kind: snapshot.kind, app_id, app_secret },
            };
            let account = Account::restored(identity, snapshot, self.origin, self.bell.clone());
            roster = roster.with(Arc::new(account)).map_err(|error| error.to_string())?;
        }
        self.roster.store(Arc::new(roster));
        self.clock.set(saved.clock);
        self.rids.turn_to(saved.rids);
        self.ids.turn_to(saved.ids);
        Ok(())
    }

    /// Where the streams that belong to no account have come to, rids first, and their clock.
    pub(super) fn own_positions(&self) -> (u64, u64, Setting) {
        (self.rids.position(), self.ids.position(), self.clock.setting())
    }

    fn change(&self) -> MutexGuard<'_, ()> {
        self.change.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes an account and its tokens; false if there is none of that name.
    pub fn remove_account(&self, name: &str) -> bool {
        let _change = self.change();
        let is_there = self.account(name).is_some();
        self.roster.store(Arc::new(self.roster.load().without(name)));
        is_there
    }

    /// The names of all accounts, sorted.
    #[must_use]
    pub fn account_names(&self) -> Vec<String> {
        self.roster.load().names()
    }

    /// All accounts, by name.
    pub(super) fn accounts(&self) -> Vec<Arc<Account>> {
        self.roster.load().all().cloned().collect()
    }

    /// Ids of accounts that are made.
    pub(super) fn ids(&self) -> &Ids {
        &self.ids
    }

    /// The account called `name`.
    pub(super) fn account(&self, name: &str) -> Option<Arc<Account>> {
        self.roster.load().by_name(name)
    }

    /// Whether there is an account of such a kind with that AppID.
    pub(super) fn is_account(&self, app_id: &str, is_kind: impl Fn(AccountKind) -> bool) -> bool {
        self.roster.load().by_app_id(app_id, is_kind).is_some()
    }

    /// Lets happen what is due, in every account, and wakes who pushes what happened; how long
    /// until something is due again.
    pub(super) fn settle(&self) -> Option<Duration> {
        let roster = self.roster.load();
        let next_ms = roster.all().filter_map(|account| {
            let now_ms = account.now_ms();
            let mut state = account.state_at(now_ms);
            state.take_news();
            if state.push.wants_courier() {
                self.mail.notify_one();
            }
            // A clock that stands brings nothing nearer.
            let next_ms = state.agenda.next_ms().filter(|_| !account.clock().is_frozen());
            next_ms.map(|at_ms| at_ms.saturating_sub(now_ms))
        });
        next_ms.min().map(|ms| Duration::from_millis(ms.max(1).unsigned_abs()))
    }

    /// Ends when an account has news.
    pub(super) async fn news(&self) {
        self.bell.notified().await;
    }

    /// Links to the cashier.
    pub(super) fn cashier_links(&self) -> &Links {
        &self.cashier_links
    }

    /// The cashier's page, for whoever has a link to it; none for any other path under
    /// `/-/sandbox/`. `languages` is the browser's `Accept-Language`.
    #[must_use]
    pub fn cashier(
        &self,
        rest: &str,
        method: &Method,
        query: &str,
        languages: &str,
        body: &[u8],
    ) -> Option<Response<Bytes>> {
        let (_, end) = rest.split_once('/')?;
        // Without a ticket it is the control call that gives out links.
        let is_page = end == cashier::REST && query.contains("ticket=");
        is_page.then(|| cashier::answer(self, method, query, languages, body))
    }

    /// Ends when there is something to push.
    pub(super) async fn mail(&self) {
        self.mail.notified().await;
    }

    /// Does what a call asks for.
    #[must_use]
    pub fn handle(&self, call: &Call) -> Reply {
        let roster = &self.roster.load();
        let query = Query::parse(&call.query);
        let owner = roster.owner(&query).map(|owner| owner.identity.kind);
        let spec = dispatch::find(&call.path, owner);
        let form = spec.map_or(FormKind::None, |spec| spec.form);
        let form = Form::read(form, &call.headers, &call.body);
        let credential = spec.map_or(Credential::Token, |spec| spec.credential);
        let asked = Asked { roster, query: &query, form: &form, call };
        let claim = credential.claim(&asked);
        match &claim.account {
            Some(account) => {
                let (form, seal) = signing::open(account, roster, call, form);
                Exchange { account, roster, call, spec, query, form, seal }.run(&claim)
            }
            None => self.refuse_stranger(call, spec, &claim, &form),
        }
    }

    /// A call that belongs to no account has no faults and no journal either.
    fn refuse_stranger(
        &self,
        call: &Call,
        spec: Option<&'static CallSpec>,
        claim: &Claim,
        form: &Form,
    ) -> Reply {
        let now_ms = self.clock.tick();
        let kind = spec.map_or(AccountKind::MiniProgram, CallSpec::home);
        let case = Case {
            spec,
            kind,
            method: &call.method,
            proof: &claim.proof,
            form,
            peer: call.peer,
            now_ms,
        };
        // A fresh account knows no token and no secret, so that it refuses every claim.
        let refusal = match case.judge(&mut State::default()) {
            Err(refusal) => refusal,
            Ok(_) => Refusal::new(40013),
        };
        let mark = envelope::Mark { kind, rid: self.rids.rid(now_ms), peer: call.peer };
        let answer = envelope::refused(&refusal, &mark);
        Reply { date_ms: self.clock.told_ms(now_ms), ..reply(answer, &Strike::default()) }
    }
}
