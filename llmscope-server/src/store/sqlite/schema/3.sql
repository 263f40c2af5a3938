-- What the alarms of a source have learned: a snapshot, to which the records after it are added at the start.
CREATE TABLE alarms (
    source INTEGER PRIMARY KEY REFERENCES sources (id),
    -- The last record that the state contains.
    record INTEGER NOT NULL,
    -- As JSON.
    state TEXT NOT NULL
) STRICT;

CREATE TABLE incidents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source INTEGER NOT NULL REFERENCES sources (id),
    -- NULL for failed requests.
    metric TEXT,
    opened_ns INTEGER NOT NULL,
    -- NULL while it is open.
    ended_ns INTEGER,
    -- What changed, as JSON.
    report TEXT NOT NULL
) STRICT;
CREATE INDEX incidents_of_source ON incidents (source, id);
CREATE INDEX incidents_open ON incidents (source) WHERE ended_ns IS NULL;
