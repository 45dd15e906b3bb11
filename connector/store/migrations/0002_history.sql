-- What happened to records between two looks at them, and what follows from it: finer moves, the
-- time in each band, the last visible touchpoint, and what stewards overruled.

-- Up to which version of a record its history was read, per source (sys_journal_field, sys_audit).
CREATE TABLE history_read (
    source VARCHAR NOT NULL,
    table_name VARCHAR NOT NULL,
    sys_id VARCHAR NOT NULL,
    updated_on VARCHAR,                -- sys_updated_on and sys_mod_count of that version
    mod_count VARCHAR
);

-- The last touchpoint where the other party could see the record; '' while it was never visible.
ALTER TABLE classification ADD COLUMN last_visible VARCHAR DEFAULT '';

-- resolution: 'exact' to the second, 'night' where the change lies between two looks.
ALTER TABLE standing ADD COLUMN resolution VARCHAR DEFAULT 'night';
ALTER TABLE transition ADD COLUMN resolution VARCHAR DEFAULT 'night';
ALTER TABLE transition ADD COLUMN outcome VARCHAR DEFAULT '';
ALTER TABLE transition ADD COLUMN is_back_step BOOLEAN DEFAULT false;

-- Path-dependent: a stretch of a record's life in one band, until the next one of it begins.
CREATE TABLE band_piece (
    table_name VARCHAR NOT NULL,
    sys_id VARCHAR NOT NULL,
    band VARCHAR NOT NULL,             -- '' = unknown then
    since TIMESTAMP NOT NULL,
    resolution VARCHAR NOT NULL        -- of `since`: exact, night
);

-- Time of a record in each band, as of the last run that saw it move or open.
CREATE TABLE band_dwell (
    table_name VARCHAR NOT NULL,
    sys_id VARCHAR NOT NULL,
    band VARCHAR NOT NULL,             -- visible, provider_backstage, consumer_backstage
    seconds BIGINT NOT NULL,
    resolution VARCHAR NOT NULL
);

-- The longest time in which the consumer saw nothing of a record.
CREATE TABLE invisible_stretch (
    table_name VARCHAR NOT NULL,
    sys_id VARCHAR NOT NULL,
    seconds BIGINT NOT NULL,
    began_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP NOT NULL,
    resolution VARCHAR NOT NULL
);

-- Path-dependent: a steward's word on a record, as first seen, and the state it holds for.
CREATE TABLE journey_override (
    table_name VARCHAR NOT NULL,
    sys_id VARCHAR NOT NULL,
    touchpoint VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    state VARCHAR NOT NULL,            -- of the record when it was first seen
    seen_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,                -- the state changed: ignored until a steward changes it
    overruled VARCHAR NOT NULL         -- the rule that would have decided
);
