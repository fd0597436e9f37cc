//! What a changed configuration can change while the gateway runs.

use std::sync::Arc;

use super::model::Config;

/// Keys that differ and only take effect with a restart: listeners and storage. All other
/// keys are swapped in place.
#[must_use]
pub fn needs_restart(old: &Config, new: &Config) -> Vec<&'static str> {
    let changed = [
        ("server.listen", old.server.listen != new.server.listen),
        ("server.data_dir", old.server.data_dir != new.server.data_dir),
        ("server.workers", old.server.workers != new.server.workers),
        ("capture.enabled", old.capture.enabled != new.capture.enabled),
        ("limits.max_connections", old.limits.max_connections != new.limits.max_connections),
        ("metrics.listen", old.metrics.listen != new.metrics.listen),
    ];
    changed.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
}

/// `new` with the running values of the keys that need a restart: what is in force after a
/// reload, so that nobody reads from the config what is not so.
#[must_use]
pub fn until_restart(old: &Config, new: &Config) -> Arc<Config> {
    let mut config = new.clone();
    config.server.listen.clone_from(&old.server.listen);
    config.server.data_dir.clone_from(&old.server.data_dir);
    config.server.workers = old.server.workers;
    config.capture.enabled = old.capture.enabled;
    config.limits.max_connections = old.limits.max_connections;
    config.metrics.listen = old.metrics.listen;
    Arc::new(config)
}

#[cfg(test)]
mod tests {
    use super::super::testing::accept;
    use super::*;

    #[test]
    fn listeners_and_storage_wait_for_a_restart_and_the_rest_does_not() {
        let old = accept("[server]\nworkers = 1\n");
        let new = accept(
            "[server]\nworkers = 2\nlisten = ['https://127.0.0.1:1']\ndata_dir = 'x'\n\
             hosts = ['a.cn']\n[capture]\nenabled = false\nkeep = '1d'\n\
             [metrics]\nlisten = '127.0.0.1:9'\n[log]\nlevel = 'debug'\n",
        );
        let keys = needs_restart(&old, &new);
        let wanted = [
            "server.listen",
            "server.data_dir",
            "server.workers",
            "capture.enabled",
            "metrics.listen",
        ];
        assert_eq!(keys, wanted);
        let merged = until_restart(&old, &new);
        assert!(needs_restart(&old, &merged).is_empty());
        assert_eq!(
            (merged.server.hosts.as_slice(), merged.log.level.as_str()),
            (&["a.cn".to_owned()][..], "debug")
        );
        assert!(needs_restart(&old, &old).is_empty());
    }
}
