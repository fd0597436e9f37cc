//! The gateway of this host as a command finds it: its configuration, and itself if it runs.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::exit::Failure;
use crate::{
    app::data_dir::DataDir,
    base::{
        clock::{Clock as _, SystemClock},
        kind::Language,
    },
    config::{self, Config},
    control::{AuditForm, Client, ClientError, audit_row},
    store::{Database, Durability, GATEWAY_SCHEMA},
};

/// A configuration that was found and is right.
pub(super) struct Host {
    /// What proxy.toml says.
    pub(super) config: Config,
}

/// Who answers a command.
pub(super) enum Reach {
    /// The gateway that runs.
    Running(Client),
    /// Nobody runs: the database itself, held against a start meanwhile.
    Stopped(Held),
}

/// The data folder, locked, with the database open.
pub(super) struct Held {
    /// `wxgate.db`. Stands before the lock, so that it is closed before the lock is free.
    pub(super) db: Arc<Database>,
    _folder: DataDir,
}

impl Host {
    /// Finds and reads the configuration, secrets included: for the gateway itself.
    ///
    /// # Errors
    /// All its problems, with the exit code for a bad configuration.
    pub(super) fn load_with_secrets(explicit: Option<&Path>) -> Result<Self, Failure> {
        let source = config::find(explicit)?;
        let config = config::load(&source, &|name| std::env::var(name).ok())?;
        Ok(Self { config })
    }

    /// Finds and reads the configuration without opening secrets, which no other command needs.
    ///
    /// # Errors
    /// All its problems, with the exit code for a bad configuration.
    pub(super) fn load(explicit: Option<&Path>) -> Result<Self, Failure> {
        let source = config::find(explicit)?;
        let config = config::load_without_secrets(&source, &|name| std::env::var(name).ok())?;
        Ok(Self { config })
    }

    /// In which language people are answered.
    pub(super) fn language(&self) -> Language {
        self.config.server.language
    }

    /// A file of the data folder.
    pub(super) fn data_file(&self, name: &str) -> PathBuf {
        self.config.server.data_dir.join(name)
    }

    /// The running gateway.
    ///
    /// # Errors
    /// [`ClientError::NotRunning`] and others, with the exit code for "not reachable".
    pub(super) async fn gateway(&self) -> Result<Client, Failure> {
        Ok(Client::connect(&self.config.server.data_dir).await?)
    }

    /// The running gateway, else the database.
    ///
    /// # Errors
    /// When neither can be reached.
    pub(super) async fn reach(&self) -> Result<Reach, Failure> {
        match Client::connect(&self.config.server.data_dir).await {
            Ok(client) => Ok(Reach::Running(client)),
            Err(ClientError::NotRunning) => Ok(Reach::Stopped(self.hold()?)),
            Err(other) => Err(other.into()),
        }
    }

    /// Takes the lock of the data folder and opens the database.
    ///
    /// # Errors
    /// When a gateway holds it, or the database is damaged.
    pub(super) fn hold(&self) -> Result<Held, Failure> {
        let folder = DataDir::take(&self.config.server.data_dir)?;
        let file = folder.file(DATABASE);
        let db = Database::open(&file, GATEWAY_SCHEMA, Durability::Full).map_err(|error| {
            Failure::from(error).hint("a backup is put in place with: wxgate restore FILE")
        })?;
        Ok(Held { db: Arc::new(db), _folder: folder })
    }

    /// Writes down that somebody with a shell on this host did or saw something.
    ///
    /// # Errors
    /// When it cannot be stored; then it must not be done or shown.
    pub(super) async fn audit(&self, what: &str, subject: &str) -> Result<(), Failure> {
        let form = AuditForm { what: what.to_owned(), subject: subject.to_owned() };
        match self.reach().await? {
            Reach::Running(client) => drop(client.post("/v1/audit", &form).await?),
            Reach::Stopped(held) => {
                let now = SystemClock.now();
                let row = move |t: &rusqlite::Transaction<'_>| {
                    audit_row(t, now, "cli", &form.what, &form.subject)
                };
                held.db.write(row).await?;
            }
        }
        Ok(())
    }
}

/// Keys, sealed tokens, budgets, audit.
pub(super) const DATABASE: &str = "wxgate.db";

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A host with the shipped configuration, its files in `folder`; no gateway runs.
    pub(in crate::cli) fn stopped(folder: &Path) -> Host {
        Host { config: Config::builtin(folder) }
    }

    #[tokio::test]
    async fn without_a_gateway_the_database_answers_and_the_audit_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let host = stopped(dir.path());
        assert!(matches!(host.reach().await.unwrap(), Reach::Stopped(_)));
        host.audit("unmask", "exchange 01").await.unwrap();
        let held = host.hold().unwrap();
        let row = |c: &rusqlite::Connection| {
            c.query_row("SELECT who, what, subject FROM audit", [], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, String>(2)?))
            })
        };
        let (who, what, subject) = held.db.read_blocking(row).unwrap();
        assert_eq!((&*who, &*what, &*subject), ("cli", "unmask", "exchange 01"));
    }

    #[tokio::test]
    async fn a_folder_that_somebody_holds_is_not_touched() {
        let dir = tempfile::tempdir().unwrap();
        let host = stopped(dir.path());
        let _gateway_that_starts = DataDir::take(&host.config.server.data_dir).unwrap();
        let Err(failure) = host.reach().await else { panic!("took a held folder") };
        assert!(failure.text().unwrap().contains("another gateway"), "{failure:?}");
        let Err(failure) = host.gateway().await else { panic!("no gateway listens") };
        assert_eq!(failure.exit, super::super::exit::Exit::Unreachable);
    }
}
