//! A third-party platform with its merchants, as the broker keeps it: real or shadow.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::SystemTime,
};

use super::{
    authorizer::AuthorizerIssuer,
    broker::Broker,
    component::ComponentIssuer,
    issuer_call::Origins,
    merchant::Merchant,
    provider::{Credential, FetchedBy, TokenGrant},
    slot::{Shared, Slot},
    slot_id::{Held, SlotId},
    state::SlotPolicy,
    strongbox::{Keepsake, Strongbox},
    verify_ticket::{AskTicket, VerifyTicket},
};
use crate::base::secret::Secret;

/// What a third-party platform is registered with.
pub struct PlatformParts {
    /// The place of its component token.
    pub id: SlotId,
    /// AppID and AppSecret of the component.
    pub credential: Credential,
    /// Where its tokens are asked for.
    pub origins: Origins,
    /// What its configuration says about tokens.
    pub policy: SlotPolicy,
    /// The URL to which the platform should push the verify ticket, for messages.
    pub callback: Arc<str>,
    /// The sandbox of this process, where that is the platform. What it gave is worth nothing
    /// to the next run and is not kept.
    pub ask_ticket: Option<AskTicket>,
}

/// Its component token, its verify ticket and the book of its merchants. Shared by all threads.
pub struct OpenPlatform {
    id: SlotId,
    component: Arc<Slot>,
    ticket: Arc<VerifyTicket>,
    strongbox: Arc<Strongbox>,
    broker: Weak<Broker>,
    shared: Arc<Shared>,
    book: Mutex<Book>,
}

struct Book {
    way: Way,
    merchants: BTreeMap<Arc<str>, Entered>,
    /// Counts entries.
    serial: u64,
}

/// How merchants' tokens are asked for, as of the last reload.
struct Way {
    credential: Credential,
    origins: Origins,
    policy: SlotPolicy,
}

/// A merchant in the book.
struct Entered {
    merchant: Arc<Merchant>,
    slot: Arc<Slot>,
    /// Which entry it was.
    serial: u64,
    /// Whether the configuration names it: it makes room for none.
    is_configured: bool,
}

impl OpenPlatform {
    /// The book as `rows` of an earlier run have it.
    pub(super) fn start(
        parts: PlatformParts,
        broker: &Arc<Broker>,
        shared: Arc<Shared>,
        strongbox: Strongbox,
        rows: Vec<(String, Vec<u8>)>,
    ) -> Arc<Self> {
        let (mut kept_ticket, mut kept) = (None, Vec::new());
        for (row, sealed) in rows {
            let opened = strongbox.open(&row, &sealed);
            match (opened, strongbox.merchant_of(&row)) {
                (None, _) => strongbox.forget(&shared.journal, row),
                (Some(keepsake), Some(app_id)) => kept.push((Arc::from(app_id), keepsake)),
                (Some(keepsake), None) => {
                    shared.redactor.protect(&row, &keepsake.secret);
                    kept_ticket = Some(keepsake);
                }
            }
        }
        let secrets = kept.iter().map(|(app_id, keepsake): &(Arc<str>, Keepsake)| {
            (strongbox.merchant_row(app_id), keepsake.secret.clone())
        });
        shared.redactor.protect_all(secrets);
        let ticket = Arc::new(VerifyTicket::new(kept_ticket, parts.ask_ticket.clone()));
        let component = register(broker, &parts, &ticket, &shared);
        let way =
            Way { credential: parts.credential, origins: parts.origins, policy: parts.policy };
        let platform = Arc::new(Self {
            id: parts.id,
            component,
            ticket,
            strongbox: Arc::new(strongbox),
            broker: Arc::downgrade(broker),
            shared,
            book: Mutex::new(Book { way, merchants: BTreeMap::new(), serial: 0 }),
        });
        for (app_id, keepsake) in kept {
            platform.enter(&mut platform.lock(), &app_id, Some(keepsake));
        }
        platform
    }

    /// Whether `parts` are of the same component on the same platform: the sandbox's is none of
    /// the real one's.
    pub(super) fn is_of(&self, parts: &PlatformParts) -> bool {
        self.app_id() == parts.credential.app_id
            && self.strongbox.is_kept() == parts.ask_ticket.is_none()
    }

    /// Takes over a reloaded configuration of the same component.
    pub(super) fn reload(&self, parts: PlatformParts, broker: &Arc<Broker>) {
        register(broker, &parts, &self.ticket, &self.shared);
        let PlatformParts { credential, origins, policy, .. } = parts;
        let mut book = self.lock();
        book.way = Way { credential, origins, policy };
        for entered in book.merchants.values() {
            let provider = self.issuer(&book.way, &entered.merchant);
            broker.register(entered.slot.id().clone(), Arc::new(provider), policy);
        }
    }

    /// The AppID of the component.
    #[must_use]
    pub fn app_id(&self) -> &str {
        self.strongbox.component_app_id()
    }

    /// The place of the component token.
    #[must_use]
    pub fn component(&self) -> &Arc<Slot> {
        &self.component
    }

    /// The token of a merchant that is in the book.
    #[must_use]
    pub fn merchant(&self, app_id: &str) -> Option<Arc<Slot>> {
        self.lock().merchants.get(app_id).map(|entered| entered.slot.clone())
    }

    /// The AppIDs in the book, in order.
    #[must_use]
    pub fn merchants(&self) -> Vec<Arc<str>> {
        self.lock().merchants.keys().cloned().collect()
    }

    /// Tells the merchant's refresh tokens apart; none while none is known.
    #[must_use]
    pub fn mark(&self, app_id: &str) -> Option<u32> {
        let merchant = self.lock().merchants.get(app_id).map(|known| known.merchant.clone());
        merchant?.mark()
    }

    /// Ends when everything that it was told so far is on disk.
    pub async fn flush(&self) {
        self.shared.journal.flush().await;
    }

    /// The token of a merchant, which is entered if it is new: whoever vouches for the AppID
    /// need not know its refresh token. None while the gateway stops.
    #[must_use]
    pub fn merchant_or_new(&self, app_id: &str) -> Option<Arc<Slot>> {
        let mut book = self.lock();
        if let Some(known) = book.merchants.get(app_id) {
            return Some(known.slot.clone());
        }
        self.enter(&mut book, &Arc::from(app_id), None)
    }

    /// As [`OpenPlatform::merchant_or_new`], for one that the configuration names.
    #[must_use]
    pub fn configured(&self, app_id: &str) -> Option<Arc<Slot>> {
        let slot = self.merchant_or_new(app_id);
        if let Some(entered) = self.lock().merchants.get_mut(app_id) {
            entered.is_configured = true;
        }
        slot
    }

    /// Protects what an answer tells of many merchants: AppID, refresh token, token. Taken in one
    /// by one, each would cost a table of its own.
    pub fn protect_all(&self, told: Vec<(Arc<str>, Option<Secret>, Option<Secret>)>) {
        let rows = told.into_iter().flat_map(|(app_id, refresh_token, token)| {
            let row = self.strongbox.merchant_row(&app_id);
            let slot = self.id.with(Held::Merchant(app_id)).to_string();
            refresh_token.map(|secret| (row, secret)).into_iter().chain(token.map(|t| (slot, t)))
        });
        self.shared.redactor.protect_all(rows);
    }

    /// Takes in what the platform said of a merchant's authorization: its refresh token, and
    /// the token that may have come with it.
    pub fn authorized(
        &self,
        app_id: &str,
        refresh_token: Option<&Secret>,
        grant: Option<TokenGrant>,
    ) -> Option<Arc<Slot>> {
        let slot = self.merchant_or_new(app_id)?;
        let merchant = self.lock().merchants.get(app_id).map(|known| known.merchant.clone());
        let is_news = refresh_token.zip(merchant).is_some_and(|(new, known)| known.keep(new));
        match grant {
            Some(grant) => slot.adopt(grant, FetchedBy::Authorizer),
            // What failed with the one before may work with this one.
            None if is_news => slot.wake(),
            None => {}
        }
        Some(slot)
    }

    /// Forgets a merchant that withdrew its authorization. False if it is not in the book, or
    /// the configuration names it.
    pub fn forget(&self, app_id: &str) -> bool {
        let mut book = self.lock();
        let is_free = book.merchants.get(app_id).is_some_and(|known| !known.is_configured);
        if is_free && let Some(gone) = book.merchants.remove(app_id) {
            self.dismiss(&gone);
        }
        is_free
    }

    /// Keeps a verify ticket that came at `since`, and lets everything that waited for one try
    /// again. False if a newer one is there.
    pub fn keep_ticket(&self, ticket: &Secret, since: SystemTime) -> bool {
        let row = self.strongbox.ticket_row();
        self.shared.redactor.protect(&row, ticket);
        let keepsake = Keepsake { secret: ticket.clone(), since };
        let is_newest = self.ticket.keep(&keepsake, self.shared.clock.now());
        if is_newest {
            self.strongbox.put(&self.shared.journal, row, &keepsake);
            self.component.wake();
            self.lock().merchants.values().for_each(|entered| entered.slot.wake());
        }
        is_newest
    }

    /// Everything of it goes, here and on disk.
    pub(super) fn retire(&self) {
        self.strongbox.forget(&self.shared.journal, self.strongbox.ticket_row());
        let mut book = self.lock();
        while let Some((_, gone)) = book.merchants.pop_first() {
            self.dismiss(&gone);
        }
    }

    fn enter(
        &self,
        book: &mut Book,
        app_id: &Arc<str>,
        kept: Option<Keepsake>,
    ) -> Option<Arc<Slot>> {
        let broker = self.broker.upgrade()?;
        if book.merchants.len() >= MOST_MERCHANTS {
            self.make_room(book);
        }
        let (strongbox, shared) = (self.strongbox.clone(), self.shared.clone());
        let merchant = Arc::new(Merchant::new(app_id.clone(), kept, strongbox, shared));
        let provider = self.issuer(&book.way, &merchant);
        let id = self.id.with(Held::Merchant(app_id.clone()));
        let slot = broker.register(id, Arc::new(provider), book.way.policy);
        book.serial += 1;
        let (serial, is_configured) = (book.serial, false);
        let entered = Entered { merchant, slot: slot.clone(), serial, is_configured };
        book.merchants.insert(app_id.clone(), entered);
        Some(slot)
    }

    fn issuer(&self, way: &Way, merchant: &Arc<Merchant>) -> AuthorizerIssuer {
        AuthorizerIssuer::new(
            self.id.with(Held::Merchant(merchant.app_id.clone())),
            way.origins.clone(),
            self.component.clone(),
            &way.credential,
            merchant.clone(),
        )
    }

    /// The oldest entry goes. Its refresh token can be asked for again when somebody names it.
    fn make_room(&self, book: &mut Book) {
        let free = book.merchants.iter().filter(|(_, entered)| !entered.is_configured);
        let oldest = free.min_by_key(|(_, entered)| entered.serial).map(|(id, _)| id.clone());
        if let Some(app_id) = oldest
            && let Some(gone) = book.merchants.remove(&app_id)
        {
            tracing::warn!(
                platform = %self.id.account, merchant = %app_id,
                "more than {MOST_MERCHANTS} merchants of {}: {app_id} was forgotten and will be asked for again when it is named", self.id.account
            );
            self.dismiss(&gone);
        }
    }

    fn dismiss(&self, gone: &Entered) {
        gone.merchant.forget();
        if let Some(broker) = self.broker.upgrade() {
            broker.retire_slot(gone.slot.id());
        }
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn register(
    broker: &Arc<Broker>,
    parts: &PlatformParts,
    ticket: &Arc<VerifyTicket>,
    shared: &Arc<Shared>,
) -> Arc<Slot> {
    let issuer = ComponentIssuer::new(
        parts.id.clone(),
        parts.credential.clone(),
        parts.origins.clone(),
        ticket.clone(),
        (parts.callback.clone(), shared.clock.clone()),
    );
    broker.register(parts.id.clone(), Arc::new(issuer), parts.policy)
}

impl fmt::Debug for OpenPlatform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OpenPlatform({}, {} merchants)", self.id, self.lock().merchants.len())
    }
}

/// A platform may have more; see [`OpenPlatform::make_room`].
const MOST_MERCHANTS: usize = 10_000;
