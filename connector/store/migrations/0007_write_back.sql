-- When a record that was set aside is tried again (the instance's clock, UTC); NULL: when a person
-- says so. What was set aside before is tried once more by the next run.
ALTER TABLE set_aside ADD COLUMN retry_at TIMESTAMP;
UPDATE set_aside SET retry_at = last_at WHERE sys_id <> '*';

-- What the instance says of itself beside its address: a copy of it says something else.
ALTER TABLE instance ADD COLUMN identity VARCHAR DEFAULT '';

-- How the last sweeps of a table went. Hidden: what the instance counts and the account cannot see.
CREATE TABLE sweep (
    table_name VARCHAR PRIMARY KEY,
    counted BIGINT NOT NULL,           -- sweeps since the last that compared keys
    hidden BIGINT NOT NULL,
    swept_at TIMESTAMP NOT NULL        -- the instance's clock, UTC
);
