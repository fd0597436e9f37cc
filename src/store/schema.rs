//! The tables of `wxgate.db`, one statement batch a version, applied in order.

/// Append only: a version that was released never changes.
pub const GATEWAY_SCHEMA: &[&str] = &["
    -- Access keys. `hash` is the SHA-256 of the whole key; lists are JSON arrays, empty = all.
    CREATE TABLE key (
        id TEXT PRIMARY KEY, name TEXT NOT NULL, hash BLOB NOT NULL,
        role TEXT NOT NULL, lane TEXT NOT NULL, allow_danger INTEGER NOT NULL, errors TEXT NOT NULL,
        accounts TEXT NOT NULL, paths TEXT NOT NULL, networks TEXT NOT NULL, rate TEXT,
        created_ms INTEGER NOT NULL, expires_ms INTEGER, revoked_ms INTEGER
    ) STRICT, WITHOUT ROWID;
    CREATE UNIQUE INDEX key_name ON key (name) WHERE revoked_ms IS NULL;

    -- Tokens and tickets, sealed with the installation key; the slot is bound to the value.
    CREATE TABLE sealed (
        slot TEXT PRIMARY KEY, value BLOB NOT NULL, updated_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    -- The life of each token generation.
    CREATE TABLE generation (
        id INTEGER PRIMARY KEY, slot TEXT NOT NULL, fingerprint TEXT NOT NULL, fetched_by TEXT NOT NULL,
        born_ms INTEGER NOT NULL, planned_end_ms INTEGER NOT NULL, ended_ms INTEGER,
        last_good_ms INTEGER, first_refusal_ms INTEGER, end_reason TEXT, verdict TEXT
    ) STRICT;
    CREATE INDEX generation_slot ON generation (slot, born_ms);

    -- Things that may be done so many times a day: forced refreshes, daily limits.
    CREATE TABLE counter (
        name TEXT NOT NULL, day TEXT NOT NULL, count INTEGER NOT NULL, last_ms INTEGER NOT NULL,
        PRIMARY KEY (name, day)
    ) STRICT, WITHOUT ROWID;

    -- Paths that the platform refuses until a quota turns.
    CREATE TABLE quota_block (
        account TEXT NOT NULL, path TEXT NOT NULL, errcode INTEGER NOT NULL,
        since_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,
        PRIMARY KEY (account, path)
    ) STRICT, WITHOUT ROWID;

    -- Who changed what.
    CREATE TABLE audit (
        id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL, subject TEXT NOT NULL
    ) STRICT;
", "
    -- Who wanted a token, and what the platform said when it refused it.
    ALTER TABLE generation ADD COLUMN asked_by TEXT;
    ALTER TABLE generation ADD COLUMN errcode INTEGER;
", "
    -- The subject of the client certificate that counts as the key, in the one spelling of
    -- RFC 4514 that the program writes; none = no certificate does.
    ALTER TABLE key ADD COLUMN subject TEXT;
"];
