-- An incident has several members: the series, and the failed requests of a source, that changed together.
ALTER TABLE incidents RENAME TO former_incidents;
DROP INDEX incidents_of_source;
DROP INDEX incidents_open;

CREATE TABLE incidents (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    provider TEXT NOT NULL,
    -- Of its members: 'worse', 'better' or 'no_data'.
    kind TEXT NOT NULL,
    opened_ns INTEGER NOT NULL,
    -- NULL while a member is open.
    ended_ns INTEGER,
    -- What decides about further messages, as JSON.
    pending TEXT NOT NULL DEFAULT '{}',
    status TEXT NOT NULL DEFAULT 'new',
    acknowledged_ns INTEGER,
    acknowledged_by TEXT,
    resolved_ns INTEGER,
    resolved_by TEXT
) STRICT;
INSERT INTO incidents (id, provider, kind, opened_ns, ended_ns)
    SELECT i.id, s.provider, iif(i.report ->> '$.direction' = 'better', 'better', 'worse'), i.opened_ns, i.ended_ns
    FROM former_incidents i JOIN sources s ON s.id = i.source;
CREATE INDEX incidents_open ON incidents (id) WHERE ended_ns IS NULL;
CREATE INDEX incidents_of_provider ON incidents (provider, kind, ended_ns, id);

CREATE TABLE incident_members (
    id INTEGER PRIMARY KEY,
    incident INTEGER NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    source INTEGER NOT NULL REFERENCES sources (id),
    -- The metric, 'failures' or 'no_data'.
    signal TEXT NOT NULL,
    opened_ns INTEGER NOT NULL,
    -- NULL while it is open.
    ended_ns INTEGER,
    -- What changed, as JSON.
    report TEXT NOT NULL,
    UNIQUE (incident, source, signal)
) STRICT;
INSERT INTO incident_members (incident, source, signal, opened_ns, ended_ns, report)
    SELECT id, source, coalesce(metric, 'failures'), opened_ns, ended_ns, report FROM former_incidents ORDER BY id;
CREATE INDEX incident_members_of_source ON incident_members (source);
DROP TABLE former_incidents;

CREATE TABLE incident_notes (
    incident INTEGER NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    at_ns INTEGER NOT NULL,
    by TEXT NOT NULL,
    text TEXT NOT NULL
) STRICT;
CREATE INDEX incident_notes_of_incident ON incident_notes (incident);

-- Messages of a commit, until they are in the file of undelivered messages.
CREATE TABLE messages (
    id INTEGER PRIMARY KEY,
    incident INTEGER NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
    turn TEXT NOT NULL
) STRICT;
CREATE INDEX messages_of_incident ON messages (incident);
