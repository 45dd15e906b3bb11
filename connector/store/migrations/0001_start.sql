-- The store of one instance. Records themselves live in three schemas, one table per ITSM table,
-- made as the mapping asks: `landing` (pages as they came, append-only, emptied by the merge),
-- `current` (the newest version) and `version` (superseded versions whose inputs differed).

CREATE SCHEMA IF NOT EXISTS landing;
CREATE SCHEMA IF NOT EXISTS current;
CREATE SCHEMA IF NOT EXISTS version;
CREATE SEQUENCE IF NOT EXISTS seen START 1;

-- The one instance that this store belongs to.
CREATE TABLE instance (url VARCHAR NOT NULL);

-- One row per pass of the pipeline.
CREATE TABLE run (
    run_id VARCHAR PRIMARY KEY,
    kind VARCHAR NOT NULL,             -- sync, part (some tables), record, reconcile
    started_at TIMESTAMP NOT NULL,     -- this machine's clock, UTC
    finished_at TIMESTAMP,
    high_mark TIMESTAMP,               -- the instance's clock less settle_seconds: data until here
    outcome VARCHAR,                   -- succeeded, partial, failed, interrupted
    mapping_hash VARCHAR,
    counts VARCHAR,                    -- JSON
    message VARCHAR
);

-- Where extraction of a table stands. Moves only in the transaction that stores its page.
CREATE TABLE cursor (
    table_name VARCHAR PRIMARY KEY,
    query_hash VARCHAR NOT NULL,       -- columns and filter it was read with
    updated_on VARCHAR NOT NULL,
    sys_id VARCHAR NOT NULL,
    is_complete BOOLEAN NOT NULL,      -- the first full read came to its end
    run_id VARCHAR
);

-- The instance's dictionary, of the tables that are read; inherited columns under the asking table.
CREATE TABLE dictionary (
    table_name VARCHAR, element VARCHAR, type VARCHAR, label VARCHAR, reference VARCHAR,
    is_choice BOOLEAN, is_hidden BOOLEAN    -- asked for and never answered: an ACL hides it
);
CREATE TABLE choice (
    table_name VARCHAR, element VARCHAR, value VARCHAR, label VARCHAR, language VARCHAR
);

-- What the mapping says of every record, as of the last run: a pure function of records, mapping,
-- now. One row per record, kept so by the merge: an index over all of them would have to stay in
-- memory.
CREATE TABLE classification (
    table_name VARCHAR NOT NULL,
    sys_id VARCHAR NOT NULL,
    rule_id VARCHAR NOT NULL,          -- 'unclassified' where none matched
    touchpoint VARCHAR NOT NULL,       -- '' for ignored and unclassified records
    steps MAP(VARCHAR, VARCHAR),       -- journey id -> step id
    band VARCHAR NOT NULL,
    is_potential_moment BOOLEAN NOT NULL,
    outcome VARCHAR NOT NULL,
    phase VARCHAR NOT NULL,
    value VARCHAR NOT NULL,            -- confirmed, presumed or ''
    confidence VARCHAR NOT NULL,
    inherited_from VARCHAR NOT NULL,   -- 'table/sys_id' of the record it took its steps from, or ''
    mapping_hash VARCHAR NOT NULL
);

-- Path-dependent: the step a record stands in, and since when.
CREATE TABLE standing (
    table_name VARCHAR NOT NULL,
    sys_id VARCHAR NOT NULL,
    journey VARCHAR NOT NULL,
    step VARCHAR NOT NULL,
    since TIMESTAMP NOT NULL,
    source VARCHAR NOT NULL            -- observed, timestamp, adopted
);

-- Path-dependent: every move from step to step that was seen.
CREATE TABLE transition (
    table_name VARCHAR NOT NULL,
    sys_id VARCHAR NOT NULL,
    journey VARCHAR NOT NULL,
    from_step VARCHAR NOT NULL,        -- '' on first sight
    to_step VARCHAR NOT NULL,
    happened_at TIMESTAMP NOT NULL,
    dwell_seconds BIGINT,              -- in from_step; NULL on first sight
    source VARCHAR NOT NULL,           -- observed, timestamp, adopted
    cause VARCHAR NOT NULL,            -- customer, mapping
    rule_id VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL
);

-- The life of a change: planned -> sent -> confirmed, or refused, failed, set aside.
CREATE TABLE change (
    run_id VARCHAR NOT NULL,
    table_name VARCHAR NOT NULL,
    sys_id VARCHAR NOT NULL,
    number VARCHAR NOT NULL,
    field VARCHAR NOT NULL,
    from_value VARCHAR NOT NULL,
    to_value VARCHAR NOT NULL,
    is_healing BOOLEAN NOT NULL,       -- somebody overwrote what we had confirmed
    status VARCHAR NOT NULL,           -- planned, sent, confirmed, kept (200, other value), refused,
                                       -- failed (not looked at), dropped
    detail VARCHAR NOT NULL DEFAULT '',
    changed_at TIMESTAMP NOT NULL      -- of the present status, this machine's clock, UTC
);

-- Records the pipeline stopped trying, with the reason.
CREATE TABLE set_aside (
    table_name VARCHAR NOT NULL,
    sys_id VARCHAR NOT NULL,
    field VARCHAR NOT NULL DEFAULT '', -- '' = the whole record; sys_id '*' = the field, on every record
    reason VARCHAR NOT NULL,
    attempts INTEGER NOT NULL,
    is_final BOOLEAN NOT NULL,         -- tried often enough: left alone until it is forgiven
    first_at TIMESTAMP NOT NULL,
    last_at TIMESTAMP NOT NULL,
    PRIMARY KEY (table_name, sys_id, field)
);

-- Records that are no more: ends a journey as removed, never as negative evidence.
CREATE TABLE tombstone (
    table_name VARCHAR NOT NULL,
    sys_id VARCHAR NOT NULL,
    gone_at TIMESTAMP NOT NULL,
    source VARCHAR NOT NULL,           -- sys_audit_delete, sweep
    sweeps INTEGER NOT NULL DEFAULT 0,
    is_confirmed BOOLEAN NOT NULL,
    PRIMARY KEY (table_name, sys_id)
);
