-- Moments of truth, as of the last run: a pure function of records, mapping, now. One row for each
-- moment that a record has; kept so by the step, an index over all of them would have to stay in
-- memory.
CREATE TABLE moment (
    table_name VARCHAR NOT NULL,
    sys_id VARCHAR NOT NULL,
    moment_id VARCHAR NOT NULL,
    polarity VARCHAR NOT NULL,         -- open, positive, negative, neutral
    started_at TIMESTAMP NOT NULL,
    window_ends_at TIMESTAMP,          -- NULL: nothing has set its end yet
    decided_at TIMESTAMP,              -- when the deciding evidence happened, or the window ended
    evidence VARCHAR NOT NULL,         -- code of the deciding evidence in moments.toml, or ''
    weight INTEGER NOT NULL
);
