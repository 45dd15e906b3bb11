-- A first (or full) read of a large table in parts, by ranges of sys_id that several workers read.
-- A part's position moves only in the transaction that stores its page. When all are done the rows
-- go, and the table's own cursor starts at the mark at which the read began.
CREATE TABLE shard (
    table_name VARCHAR NOT NULL,
    low VARCHAR NOT NULL,              -- sys_id from here, '' for the very beginning
    high VARCHAR NOT NULL,             -- and below this, '' for the very end
    query_hash VARCHAR NOT NULL,       -- columns and filter it is read with
    mark VARCHAR NOT NULL,             -- the high mark at which the read began
    after VARCHAR NOT NULL,            -- the last sys_id that landed, '' for none
    is_done BOOLEAN NOT NULL,
    PRIMARY KEY (table_name, low)
);
