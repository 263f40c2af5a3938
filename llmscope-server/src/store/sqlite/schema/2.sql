-- What was accepted during the last day: a record, a call or a span that is sent again is stored once.
CREATE TABLE identities (
    -- In the order of arrival; the oldest rows make room for new ones.
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    -- 0 the uid of a record, 1 the Idempotency-Key of a call; 2 to 5 are what is known of OpenTelemetry's exports: a
    -- span, another span, a response, a server's span.
    kind INTEGER NOT NULL,
    key INTEGER NOT NULL,
    at_ns INTEGER NOT NULL,
    -- The ids of the records that were stored for it; NULL for none.
    first_id INTEGER,
    last_id INTEGER,
    -- Of a call, the digest of its body.
    digest INTEGER,
    -- What is known of a span, as JSON.
    state TEXT,
    UNIQUE (kind, key)
) STRICT;
