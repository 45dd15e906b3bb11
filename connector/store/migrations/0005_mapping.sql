-- Which mapping is in force. One that was changed waits until a person has seen what would move and
-- said so; until then the one in force goes on placing records, from the content kept here.
CREATE TABLE accepted_mapping (
    hash VARCHAR NOT NULL,
    state VARCHAR NOT NULL,            -- in_force; approved (waits for the next run); replaced
    content VARCHAR,                   -- JSON, of the one in force only
    accepted_at TIMESTAMP NOT NULL     -- this machine's clock, UTC
);

-- A store from before this table goes on with the mapping that its last whole run had. Its content is
-- not known: what it decided stays as it is until another one is accepted.
INSERT INTO accepted_mapping
SELECT arg_max(mapping_hash, started_at), 'in_force', NULL, max(started_at) FROM run
WHERE kind = 'sync' AND outcome IN ('succeeded', 'partial') AND mapping_hash IS NOT NULL
HAVING count(*) > 0;

-- Whether the run placed the records: where it could not, the data of the classification are older.
ALTER TABLE run ADD COLUMN is_placed BOOLEAN DEFAULT true;

-- Contacts that came from a file (travesia contacts) and not from the tool.
CREATE TABLE contact_line (
    sys_id VARCHAR NOT NULL
);
