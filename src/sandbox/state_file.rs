//! All accounts in one file, so that a sandbox goes on after a restart.

use std::{
    fs::{self, File, OpenOptions},
    hash::{DefaultHasher, Hasher as _},
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde::{Deserialize, Serialize};

use super::{
    Platform, SandboxError,
    sim_clock::Setting,
    snapshot::{FORMAT, Purpose, Snapshot},
    state::State,
};

/// Reads it at the start, and writes it whenever something changed.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    /// What the file holds now; held while it is written.
    written: Mutex<Option<u64>>,
}

/// What the file holds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Saved {
    #[expect(dead_code, reason = "read before the rest")]
    format: u32,
    /// Rids of calls that belong to no account.
    pub(super) rids: u64,
    /// Ids of accounts that were made.
    pub(super) ids: u64,
    /// The time of calls that belong to no account.
    pub(super) clock: Setting,
    /// All accounts.
    pub(super) accounts: Vec<SavedAccount>,
}

/// One account with what a snapshot leaves out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SavedAccount {
    /// Its simulated AppSecret.
    pub(super) app_secret: String,
    /// The rest.
    pub(super) snapshot: Snapshot<State>,
}

impl StateFile {
    /// The file at `path`, which need not be there yet.
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, written: Mutex::default() }
    }

    /// Takes up what the file tells, if it is there.
    pub(super) fn load(&self, platform: &Platform) -> Result<(), SandboxError> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(self.failed("read")(error)),
        };
        let broken = |place, reason| {
            let path = self.path.clone();
            SandboxError::StateBroken { path, place, reason }
        };
        let saved = read(&text).map_err(|(place, reason)| broken(place, reason))?;
        platform.resume(saved).map_err(|reason| broken(String::new(), reason))
    }

    /// Writes the file unless it holds the same already. Each account is locked only while it
    /// is put into memory.
    pub(super) fn save(&self, platform: &Platform) -> Result<(), SandboxError> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        let text = text_of(platform).map_err(io::Error::from).map_err(self.failed("write"))?;
        let mut hasher = DefaultHasher::new();
        hasher.write(&text);
        let hash = hasher.finish();
        if *written == Some(hash) {
            return Ok(());
        }
        replace(&self.path, &text).map_err(self.failed("write"))?;
        *written = Some(hash);
        Ok(())
    }

    fn failed(&self, action: &'static str) -> impl FnOnce(io::Error) -> SandboxError {
        let path = self.path.clone();
        move |source| SandboxError::StateFile { action, path, source }
    }
}

/// What is wrong, behind the place where it is.
fn read(text: &[u8]) -> Result<Saved, (String, String)> {
    /// Enough to tell another version's file from a broken one.
    #[derive(Deserialize)]
    struct Head {
        format: u32,
    }
    let placed = |error: serde_json::Error| {
        (format!(":{}:{}", error.line(), error.column()), error.to_string())
    };
    let Head { format } = serde_json::from_slice(text).map_err(placed)?;
    if format != FORMAT {
        let reason = format!("its format is {format}; this version reads {FORMAT}");
        return Err((String::new(), reason));
    }
    serde_json::from_slice(text).map_err(placed)
}

/// A line for each account, so that a place in the file means something.
fn text_of(platform: &Platform) -> Result<Vec<u8>, serde_json::Error> {
    /// What stands before the accounts.
    #[derive(Serialize)]
    struct Head {
        format: u32,
        rids: u64,
        ids: u64,
        clock: Setting,
    }
    let (rids, ids, clock) = platform.own_positions();
    let mut text = serde_json::to_vec(&Head { format: FORMAT, rids, ids, clock })?;
    // The list goes on within the object.
    text.pop();
    text.extend_from_slice(b",\"accounts\":[");
    for (n, account) in platform.accounts().iter().enumerate() {
        text.extend_from_slice(if n == 0 { b"\n" } else { b",\n" });
        text.extend_from_slice(b"{\"app_secret\":");
        serde_json::to_writer(&mut text, &account.identity.app_secret)?;
        text.extend_from_slice(b",\"snapshot\":");
        account.write_snapshot(Purpose::Resume, &mut text)?;
        text.push(b'}');
    }
    text.extend_from_slice(b"\n]}\n");
    Ok(text)
}

/// The file is at any time the old or the new one.
fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    let mut file = create(&draft)?;
    let written = file.write_all(text).and_then(|()| file.sync_all());
    let placed = written.and_then(|()| fs::rename(&draft, path));
    if placed.is_err() {
        // The error at hand is what matters.
        let _ = fs::remove_file(&draft);
    }
    placed
}

/// For its owner alone: it holds tokens and secrets, though of a simulator.
fn create(path: &Path) -> io::Result<File> {
    // A draft left by a crash may have any mode.
    let _ = fs::remove_file(path);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sandbox::calls::bench::{Bench, account, product};

    const IPS: &str = "/cgi-bin/getcallbackip";

    #[test]
    fn a_sandbox_goes_on_after_a_restart_with_all_its_accounts() {
        let folder = tempfile::tempdir().unwrap();
        let file = StateFile::new(folder.path().join("state.json"));
        let before = Bench::unseeded();
        assert!(file.load(&before.platform).is_ok(), "missing is fresh");
        let token = before.token();
        assert_eq!(before.post("/shop/spu/add", &product("A")).errcode, Some(0));
        before.platform.add_account(account("other", "wx2", "s2")).unwrap();
        before.control("POST", "clock", r#"{"advance_s":60}"#);
        file.save(&before.platform).unwrap();
        file.save(&before.platform).unwrap();
        let files: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(files.len(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&file.path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let after = Bench::unseeded();
        file.load(&after.platform).unwrap();
        assert_eq!(after.platform.account_names(), ["other", "shop"]);
        assert_eq!(after.get(IPS, &format!("access_token={token}")).errcode, None);
        let clock = |bench: &Bench| bench.platform.account("shop").unwrap().clock().setting();
        assert_eq!(clock(&after), clock(&before));
        let query = "grant_type=client_credential&appid=wx2&secret=s2";
        assert_eq!(after.get("/cgi-bin/token", query).errcode, None);
    }

    #[test]
    fn a_file_that_is_wrong_is_told_with_its_place_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = StateFile::new(folder.path().join("state.json"));
        let bench = Bench::new();
        file.save(&bench.platform).unwrap();
        let good = fs::read_to_string(&file.path).unwrap();
        for (text, hint) in [
            (good[..good.len() - 20].to_owned(), "state.json:2:"),
            (good.replace("\"settings\":{", "\"settings\":{\"nonsense\":1,"), "nonsense"),
            (good.replacen("\"format\":1", "\"format\":9", 1), "format is 9"),
            (good.replace("wx1", "wx9"), "wx9"),
            (String::new(), "state.json:1:0"),
        ] {
            fs::write(&file.path, &text).unwrap();
            let error = file.load(&bench.platform).unwrap_err().to_string();
            assert!(error.contains(hint) && error.contains("left as it is"), "{error}");
            assert_eq!(fs::read_to_string(&file.path).unwrap(), text);
        }
        assert_eq!(bench.control("GET", "state", "").1["live"]["products"], json!(0));
        let nowhere = StateFile::new(folder.path().join("none").join("state.json"));
        assert!(nowhere.load(&bench.platform).is_ok());
        assert!(nowhere.save(&bench.platform).unwrap_err().to_string().contains("cannot write"));
    }
}
