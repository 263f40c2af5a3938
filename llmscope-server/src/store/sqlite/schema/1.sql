-- Times are nanoseconds since 1970; a model that nobody named is ''.
CREATE TABLE sources (
    id INTEGER PRIMARY KEY,
    provider TEXT NOT NULL,
    model TEXT NOT NULL,
    UNIQUE (provider, model)
) STRICT;

CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    tool TEXT NOT NULL,
    uploaded_ns INTEGER NOT NULL,
    -- Everything but the requests: header, events, samples, the client's health.
    envelope TEXT NOT NULL,
    -- Summary, as it is listed.
    summary TEXT NOT NULL
) STRICT;

CREATE TABLE records (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source INTEGER NOT NULL REFERENCES sources (id),
    -- NULL for what arrived live.
    session INTEGER REFERENCES sessions (id) ON DELETE CASCADE,
    -- When the request was issued; of a live record without that time, when it arrived.
    at_ns INTEGER,
    received_ns INTEGER NOT NULL,
    -- 0 ok, 1 error, 2 timeout, 3 cancelled
    status INTEGER NOT NULL,
    warmup INTEGER NOT NULL,
    ttft_s REAL,
    e2e_s REAL,
    tpot_s REAL,
    input_tokens INTEGER,
    output_tokens INTEGER,
    cost_usd REAL,
    -- The other fields of the record, as JSON.
    rest TEXT,
    -- What a client of the earlier service sent as metadata, word for word.
    metadata TEXT
) STRICT;
CREATE INDEX records_of_source ON records (source, at_ns) WHERE session IS NULL;
CREATE INDEX records_in_time ON records (at_ns) WHERE session IS NULL;
CREATE INDEX records_of_session ON records (session) WHERE session IS NOT NULL;

CREATE TABLE series (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source INTEGER NOT NULL REFERENCES sources (id),
    metric TEXT NOT NULL,
    -- Values so far, and the last of them.
    n INTEGER NOT NULL,
    last_ns INTEGER,
    last_value REAL,
    frozen_ns INTEGER,
    -- The watch, as JSON.
    state TEXT NOT NULL,
    UNIQUE (source, metric)
) STRICT;

CREATE TABLE violations (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    series INTEGER NOT NULL REFERENCES series (id) ON DELETE CASCADE,
    rule TEXT NOT NULL,
    words TEXT NOT NULL,
    side TEXT NOT NULL,
    -- The value that completed the pattern, counted since the limits were frozen: tells violations of a rule apart.
    first_signal INTEGER NOT NULL,
    first_ns INTEGER NOT NULL,
    signal_ns INTEGER NOT NULL,
    last_ns INTEGER NOT NULL,
    signals INTEGER NOT NULL,
    open INTEGER NOT NULL,
    value REAL NOT NULL,
    limits TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'new',
    acknowledged_ns INTEGER,
    acknowledged_by TEXT,
    resolved_ns INTEGER,
    resolved_by TEXT
) STRICT;
CREATE INDEX violations_of_series ON violations (series, id);
CREATE INDEX violations_open ON violations (series) WHERE open = 1;

CREATE TABLE notes (
    violation INTEGER NOT NULL REFERENCES violations (id) ON DELETE CASCADE,
    at_ns INTEGER NOT NULL,
    by TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX notes_of_violation ON notes (violation);
