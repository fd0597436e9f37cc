//! The start: everything in the order in which it is needed, and nothing half.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
};

use arc_swap::ArcSwap;
use tokio::runtime::Runtime;

use super::{
    accounts::AccountFactory,
    data_dir::DataDir,
    error::StartError,
    meters::Meters,
    metrics_door, reload,
    run_file::{self, Ready},
    stored::Stored,
    worker,
};
use crate::{
    access::{AccessMetrics, InFlight, KeyRing, KeyText, Limiter, QuotaGate},
    base::{
        clock::{SharedClock, SystemClock},
        redact::Redactor,
        tasks::Tasks,
    },
    capture::Recorder,
    config::model::Config,
    edge::{self, BoundListener, CaEvent, Certificates, Deadlines, EdgeShared},
    proxy::{ProxyMetrics, SharedLive},
    sandbox::{Sandbox, SandboxOptions},
    store::{Database, InstallationKey},
    token::{Broker, BrokerParts, Surrogates, boot_clock},
    wire::{OwnListeners, Resolver},
};

/// What a test may want otherwise than the program.
pub struct AppOptions {
    /// Wall time.
    pub clock: SharedClock,
    /// Knows every secret; the log's writer has it too.
    pub redactor: Arc<Redactor>,
    /// Time limits of client connections.
    pub deadlines: Deadlines,
    /// Called by SIGHUP and `wxgate reload`: reads the file again.
    pub read_config: reload::ReadConfig,
}

impl Default for AppOptions {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            redactor: Arc::new(Redactor::new()),
            deadlines: Deadlines::default(),
            read_config: Arc::new(|| Err("this gateway has no file to read again".to_owned())),
        }
    }
}

/// The gateway as a whole.
pub struct App;

/// A gateway that runs. [`Running::shutdown`] ends it in order; dropping it does not.
pub struct Running {
    /// What it says of itself.
    pub ready: Ready,
    /// Whether clients must be told to trust a CA, and why.
    pub ca_event: CaEvent,
    /// What was found wrong with the capture database, and where it was put.
    pub set_aside: Option<PathBuf>,
    pub(super) core: Arc<Core>,
    pub(super) workers: Vec<JoinHandle<()>>,
    pub(super) runtime: Runtime,
}

/// Everything that outlives a request.
pub(super) struct Core {
    pub(super) data: DataDir,
    pub(super) clock: SharedClock,
    pub(super) config: ArcSwap<Config>,
    pub(super) live: SharedLive,
    pub(super) factory: AccountFactory,
    pub(super) keys: Arc<KeyRing>,
    pub(super) seal: Arc<InstallationKey>,
    pub(super) surrogates: Arc<Surrogates>,
    pub(super) limiter: Arc<Limiter>,
    pub(super) quota: Arc<QuotaGate>,
    pub(super) in_flight: Arc<InFlight>,
    pub(super) recorder: Recorder,
    pub(super) redactor: Arc<Redactor>,
    pub(super) sandbox: Arc<Sandbox>,
    pub(super) certificates: Arc<Certificates>,
    pub(super) edge: Arc<EdgeShared>,
    pub(super) proxy_metrics: Arc<ProxyMetrics>,
    pub(super) access_metrics: AccessMetrics,
    pub(super) is_ready: Arc<AtomicBool>,
    pub(super) store: Arc<Database>,
    pub(super) tasks: Tasks,
    pub(super) worker_tasks: Tasks,
    pub(super) read_config: reload::ReadConfig,
    /// One reload at a time.
    pub(super) reloading: Mutex<()>,
}

impl App {
    /// Starts everything. Must not be called on a runtime's thread: it makes its own.
    ///
    /// # Errors
    /// [`StartError`]; then nothing runs.
    pub fn start(config: Config, options: AppOptions) -> Result<Running, StartError> {
        let data = DataDir::take(&config.server.data_dir)?;
        let listeners = edge::bind(&config.server.listen, config.server.workers)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(CORE_THREADS)
            .thread_name("core")
            .enable_all()
            .build()
            .map_err(StartError::Thread)?;
        let started = runtime.block_on(Starting::begin(config, options, data, &listeners))?;
        let Starting { core, metrics_address, first_key, ca_event, set_aside } = started;
        let ready = ready(&core, &listeners, metrics_address, first_key);
        let workers = worker::start(&core, listeners)?;
        core.is_ready.store(true, Ordering::Relaxed);
        {
            let _inside = runtime.enter();
            core.open_control(&ready)?;
        }
        core.data.write(
            "run.json",
            serde_json::to_string(&ready.without_key()).unwrap_or_default().as_bytes(),
        )?;
        Ok(Running { ready, ca_event, set_aside, core, workers, runtime })
    }
}

/// What is open before the request path is put together.
struct Prepared {
    config: Config,
    options: AppOptions,
    data: DataDir,
    stored: Stored,
    certificates: Arc<Certificates>,
    factory: AccountFactory,
    keys: Arc<KeyRing>,
    tasks: Tasks,
}

/// What the start leads to.
struct Starting {
    core: Arc<Core>,
    metrics_address: Option<SocketAddr>,
    first_key: Option<KeyText>,
    ca_event: CaEvent,
    set_aside: Option<PathBuf>,
}

impl Starting {
    async fn begin(
        config: Config,
        options: AppOptions,
        data: DataDir,
        listeners: &[BoundListener],
    ) -> Result<Self, StartError> {
        let mut metrics = Meters::new();
        let (tasks, clock) = (Tasks::default(), options.clock.clone());
        let stored = Stored::open(&config, &options, &data, &mut metrics.registry)?;
        let set_aside = stored.set_aside.clone();
        let (certificates, ca_event) =
            Certificates::open(&config.tls, &config.server.hosts, clock.now())?;
        tell(&ca_event);
        certificates.ask(certificates.clients(config.client_ca.as_deref())?);
        tasks.spawn(certificates.clone().watch(clock.clone(), tasks.clone()));
        let own = OwnListeners::default();
        own.set(listeners.iter().map(|listener| listener.address).collect());
        let factory = factory(&stored, &options, &metrics, &tasks, own.clone()).await?;
        factory.broker.register_metrics(&mut metrics.registry);
        let keys =
            KeyRing::load(stored.store.clone(), &config.keys, clock, metrics.access.clone())?;
        keys.check_fixed(&config.keys)?;
        let first_key = if keys.is_empty() { Some(keys.first_key().await?.1) } else { None };
        let prepared =
            Prepared { config, options, data, stored, certificates, factory, keys, tasks };
        let core = Arc::new(prepared.assemble(&metrics)?);
        core.spawn_housekeeping();
        let address = core.config.load().metrics.listen;
        let metrics_address = match address {
            Some(address) => Some(metrics_door::open(address, metrics.registry, &core).await?),
            None => None,
        };
        let public = listeners.iter().map(|listener| listener.address);
        own.set(public.chain(metrics_address).collect());
        Ok(Self { core, metrics_address, first_key, ca_event, set_aside })
    }
}

/// A CA that was replaced without a word looks like an attack to every client.
pub(super) fn tell(event: &CaEvent) {
    if let CaEvent::Replaced { reason, old } = event {
        tracing::warn!(
            reason,
            old = %old.display(),
            "made a new CA, because {reason}; clients must trust the new ca.pem (also at \
             /-/ca.pem). The old files were kept beside it: {}",
            old.display()
        );
    }
}

async fn factory(
    stored: &Stored,
    options: &AppOptions,
    metrics: &Meters,
    tasks: &Tasks,
    own: OwnListeners,
) -> Result<AccountFactory, StartError> {
    let broker = Broker::start(BrokerParts {
        store: stored.store.clone(),
        key: stored.seal.clone(),
        clock: options.clock.clone(),
        redactor: options.redactor.clone(),
        tasks: tasks.clone(),
        runtime: tokio::runtime::Handle::current(),
        boot_clock,
    })
    .await?;
    let sandbox = SandboxOptions { own_listeners: own.clone(), ..SandboxOptions::default() };
    Ok(AccountFactory {
        broker,
        sandbox: Arc::new(Sandbox::start(sandbox, tasks.clone()).await?),
        own,
        resolver: Resolver::system(tasks.clone()),
        upstream_metrics: metrics.upstream.clone(),
        proxy_metrics: metrics.proxy.clone(),
        tasks: tasks.clone(),
        sandbox_secrets: Mutex::default(),
    })
}

impl Prepared {
    fn assemble(self, metrics: &Meters) -> Result<Core, StartError> {
        let Self { config, options, data, stored, certificates, factory, keys, tasks } = self;
        let (store, now, access) = (stored.store, options.clock.now(), metrics.access.clone());
        let live = reload::live(&config, &certificates, factory.build(&config, None)?);
        let limits = reload::limits(&config);
        let edge = EdgeShared::new(
            options.deadlines,
            config.server.trusted_proxies.clone(),
            Some(certificates.clone()),
            metrics.edge.clone(),
        );
        Ok(Core {
            data,
            clock: options.clock,
            live: Arc::new(ArcSwap::from_pointee(live)),
            sandbox: factory.sandbox.clone(),
            factory,
            keys,
            surrogates: Arc::new(Surrogates::new(stored.seal.clone())),
            seal: stored.seal,
            limiter: Limiter::load(&limits, store.clone(), now, access.clone())?,
            quota: QuotaGate::load(store.clone(), now, access.clone())?,
            in_flight: Arc::new(InFlight::new(config.limits.in_flight, access.clone())),
            recorder: stored.recorder,
            redactor: options.redactor,
            certificates,
            edge,
            proxy_metrics: metrics.proxy.clone(),
            access_metrics: access,
            is_ready: Arc::new(AtomicBool::new(false)),
            store,
            worker_tasks: Tasks::default(),
            read_config: options.read_config,
            reloading: Mutex::default(),
            config: ArcSwap::from_pointee(config),
            tasks,
        })
    }
}

fn ready(
    core: &Core,
    listeners: &[BoundListener],
    metrics: Option<SocketAddr>,
    first_key: Option<KeyText>,
) -> Ready {
    Ready {
        event: "ready",
        public: listeners.iter().map(|l| run_file::url(l.scheme.as_str(), l.address)).collect(),
        metrics: metrics.map(|address| run_file::url("http", address)),
        ca: core.certificates.ca_path().map(run_file::shortened),
        fingerprint: core.certificates.ca_fingerprint(),
        first_key,
        pid: std::process::id(),
        version: env!("CARGO_PKG_VERSION"),
    }
}

/// The core has little to do: token fetches, the sandbox, the control socket.
const CORE_THREADS: usize = 2;
