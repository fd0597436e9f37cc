//! Names to addresses, remembered for a while.

use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::{sync::watch, time::Instant};

use crate::base::tasks::Tasks;

/// An answer younger than this is used without asking. `getaddrinfo` tells no TTL.
const FRESH: Duration = Duration::from_secs(30);
/// An answer up to this age is used when the resolver fails.
const STALE: Duration = Duration::from_secs(60 * 60);
/// How long a question may take while an old answer is at hand.
const PATIENCE: Duration = Duration::from_secs(1);
/// Pause after a failed question, with and without an old answer at hand.
const PAUSE_WITH_ANSWER: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_secs(1);
/// Names come from the configuration, so this is never reached in practice.
const NAMES_MAX: usize = 256;

/// Asks for the addresses of a name: the system, or a test.
pub type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

type Answer = Result<Arc<[IpAddr]>, Failure>;

/// A failed question; `io::Error` itself cannot be shared by those who wait for it.
#[derive(Clone, Debug)]
struct Failure {
    kind: io::ErrorKind,
    text: String,
}

/// A small cache in front of the system's resolver, shared by all connectors.
///
/// At most one question a name runs at a time, in a task of its own, so a slow resolver holds
/// up neither other names nor the thread, and a caller who leaves does not stop the question.
pub struct Resolver {
    lookup: Lookup,
    tasks: Tasks,
    names: Mutex<HashMap<String, Entry>>,
}

/// What is known of a name.
#[derive(Default)]
struct Entry {
    known: Option<(Arc<[IpAddr]>, Instant)>,
    failed: Option<(Failure, Instant)>,
    question: Option<watch::Receiver<Option<Answer>>>,
}

impl Resolver {
    /// Asks the system: `/etc/hosts` and nsswitch count.
    #[must_use]
    pub fn system(tasks: Tasks) -> Arc<Self> {
        Self::new(tasks, Arc::new(|host| Box::pin(ask_system(host))))
    }

    /// Asks `lookup`.
    #[must_use]
    pub fn new(tasks: Tasks, lookup: Lookup) -> Arc<Self> {
        Arc::new(Self { lookup, tasks, names: Mutex::default() })
    }

    /// The addresses of `host`, at least one.
    ///
    /// # Errors
    /// What the resolver said; [`io::ErrorKind::TimedOut`] if it said nothing within `limit`.
    pub(super) async fn resolve(
        self: &Arc<Self>,
        host: &str,
        limit: Duration,
    ) -> io::Result<Arc<[IpAddr]>> {
        let (mut question, old) = match self.recall(host, Instant::now()) {
            Recalled::Answer(answer) => return answer.map_err(Failure::into_error),
            Recalled::Asking { question, old } => (question, old),
        };
        let patience = if old.is_some() { PATIENCE.min(limit) } else { limit };
        let answered = tokio::time::timeout(patience, question.wait_for(Option::is_some)).await;
        let answer = match answered {
            Ok(Ok(answer)) => answer.clone().unwrap_or_else(|| Err(Failure::silent())),
            Ok(Err(_)) | Err(_) => Err(Failure::silent()),
        };
        match (answer, old) {
            (Ok(addresses), _) | (Err(_), Some(addresses)) => Ok(addresses),
            (Err(failure), None) => Err(failure.into_error()),
        }
    }

    /// A fresh answer, or the question that runs for this name, begun now if none does.
    fn recall(self: &Arc<Self>, host: &str, now: Instant) -> Recalled {
        let mut names = self.names();
        if names.len() >= NAMES_MAX && !names.contains_key(host) {
            names.retain(|_, entry| entry.question.is_some());
        }
        let entry = names.entry(host.to_owned()).or_default();
        let old = match &entry.known {
            Some((addresses, at)) if now < *at + FRESH => {
                return Recalled::Answer(Ok(Arc::clone(addresses)));
            }
            Some((addresses, at)) if now < *at + STALE => Some(Arc::clone(addresses)),
            Some(_) | None => None,
        };
        if let Some((failure, at)) = &entry.failed {
            match &old {
                Some(addresses) if now < *at + PAUSE_WITH_ANSWER => {
                    return Recalled::Answer(Ok(Arc::clone(addresses)));
                }
                None if now < *at + PAUSE => return Recalled::Answer(Err(failure.clone())),
                Some(_) | None => {}
            }
        }
        // A question whose task died with its runtime has a closed channel: ask again.
        if let Some(running) = entry.question.as_ref().filter(|q| q.has_changed().is_ok()) {
            return Recalled::Asking { question: running.clone(), old };
        }
        let (answered, question) = watch::channel(None);
        entry.question = Some(question.clone());
        let (resolver, host) = (Arc::clone(self), host.to_owned());
        self.tasks.spawn(async move { resolver.ask(host, answered).await });
        Recalled::Asking { question, old }
    }

    async fn ask(self: Arc<Self>, host: String, answered: watch::Sender<Option<Answer>>) {
        let answer: Answer = match (self.lookup)(host.clone()).await {
            Ok(found) if found.is_empty() => Err(Failure::empty()),
            Ok(found) => Ok(found.into()),
            Err(error) => Err(Failure { kind: error.kind(), text: error.to_string() }),
        };
        let now = Instant::now();
        {
            let mut names = self.names();
            let entry = names.entry(host).or_default();
            entry.question = None;
            match &answer {
                Ok(addresses) => {
                    entry.known = Some((Arc::clone(addresses), now));
                    entry.failed = None;
                }
                Err(failure) => entry.failed = Some((failure.clone(), now)),
            }
        }
        answered.send_replace(Some(answer));
    }

    fn names(&self) -> MutexGuard<'_, HashMap<String, Entry>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resolver").field("names", &self.names().len()).finish_non_exhaustive()
    }
}

/// What the cache says at once.
enum Recalled {
    Answer(Answer),
    Asking { question: watch::Receiver<Option<Answer>>, old: Option<Arc<[IpAddr]>> },
}

impl Failure {
    fn silent() -> Self {
        Self { kind: io::ErrorKind::TimedOut, text: "the resolver did not answer".to_owned() }
    }

    fn empty() -> Self {
        Self { kind: io::ErrorKind::NotFound, text: "the name has no address".to_owned() }
    }

    fn into_error(self) -> io::Error {
        io::Error::new(self.kind, self.text)
    }
}

async fn ask_system(host: String) -> io::Result<Vec<IpAddr>> {
    let mut found: Vec<IpAddr> = Vec::new();
    for address in tokio::net::lookup_host((host, 0)).await? {
        if !found.contains(&address.ip()) {
            found.push(address.ip());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(3);

    /// A resolver whose answers are set from outside; `None` means it never answers.
    struct Scene {
        resolver: Arc<Resolver>,
        answer: Arc<Mutex<Option<Result<&'static str, io::ErrorKind>>>>,
        asked: Arc<AtomicUsize>,
    }

    impl Scene {
        fn new(first: Result<&'static str, io::ErrorKind>) -> Self {
            let answer = Arc::new(Mutex::new(Some(first)));
            let asked = Arc::new(AtomicUsize::new(0));
            let (script, count) = (Arc::clone(&answer), Arc::clone(&asked));
            let lookup: Lookup = Arc::new(move |_| {
                count.fetch_add(1, Ordering::Relaxed);
                let now = *script.lock().unwrap();
                Box::pin(async move {
                    match now {
                        Some(Ok(ip)) => Ok(vec![ip.parse().unwrap()]),
                        Some(Err(kind)) => Err(kind.into()),
                        None => std::future::pending().await,
                    }
                })
            });
            Self { resolver: Resolver::new(Tasks::default(), lookup), answer, asked }
        }

        fn answers(&self, answer: Option<Result<&'static str, io::ErrorKind>>) {
            *self.answer.lock().unwrap() = answer;
        }

        async fn ask(&self) -> io::Result<String> {
            Ok(self.resolver.resolve("api.example", LIMIT).await?[0].to_string())
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::Relaxed)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_fresh_answer_is_used_and_a_new_one_follows_after_its_time() {
        let scene = Scene::new(Ok("192.0.2.1"));
        assert_eq!(scene.ask().await.unwrap(), "192.0.2.1");
        scene.answers(Some(Ok("192.0.2.2")));
        tokio::time::advance(FRESH - Duration::from_secs(1)).await;
        assert_eq!(scene.ask().await.unwrap(), "192.0.2.1");
        assert_eq!(scene.asked(), 1);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(scene.ask().await.unwrap(), "192.0.2.2");
        assert_eq!(scene.asked(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_good_answer_outlives_a_failing_or_silent_resolver_for_an_hour() {
        let scene = Scene::new(Ok("192.0.2.1"));
        scene.ask().await.unwrap();
        scene.answers(Some(Err(io::ErrorKind::ConnectionRefused)));
        tokio::time::advance(FRESH).await;
        assert_eq!(scene.ask().await.unwrap(), "192.0.2.1");
        assert_eq!(scene.ask().await.unwrap(), "192.0.2.1");
        assert_eq!(scene.asked(), 2, "not asked again within the pause");
        scene.answers(None);
        tokio::time::advance(PAUSE_WITH_ANSWER).await;
        let before = Instant::now();
        assert_eq!(scene.ask().await.unwrap(), "192.0.2.1");
        assert_eq!(before.elapsed(), PATIENCE, "an old answer is not held back for long");
        tokio::time::advance(STALE).await;
        assert_eq!(scene.ask().await.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(scene.asked(), 3, "one question at a time, however long it takes");
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_is_shared_for_a_moment_and_then_asked_about_again() {
        let scene = Scene::new(Err(io::ErrorKind::NotFound));
        let (first, second) = tokio::join!(scene.ask(), scene.ask());
        assert_eq!(first.unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(second.is_err());
        assert!(scene.ask().await.is_err());
        assert_eq!(scene.asked(), 1);
        scene.answers(Some(Ok("192.0.2.3")));
        tokio::time::advance(PAUSE).await;
        assert_eq!(scene.ask().await.unwrap(), "192.0.2.3");
    }

    #[tokio::test]
    async fn the_system_knows_localhost() {
        let resolver = Resolver::system(Tasks::default());
        let found = resolver.resolve("localhost", LIMIT).await.unwrap();
        assert!(found.iter().all(IpAddr::is_loopback) && !found.is_empty());
    }
}
