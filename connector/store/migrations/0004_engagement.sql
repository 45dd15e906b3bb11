-- Engagement: the state of the relationship between a customer (department, company) and a service.
-- All of it is computed anew by every run from the records' evidence; never about single people.

CREATE TABLE engagement (
    sys_id VARCHAR PRIMARY KEY,        -- made of customer and service: its row in the tool, too
    customer_table VARCHAR NOT NULL,   -- '' where the customer is a plain value
    customer VARCHAR NOT NULL,
    customer_name VARCHAR NOT NULL,
    service_table VARCHAR NOT NULL,
    service VARCHAR NOT NULL,          -- '' where records name no service
    service_name VARCHAR NOT NULL,
    as_of DATE NOT NULL,
    state VARCHAR NOT NULL,
    since DATE,                        -- NULL: for the whole window
    score DOUBLE,
    provider DOUBLE,                   -- what the provider keeps
    customer_side DOUBLE,              -- what the customer puts in
    dimensions MAP(VARCHAR, DOUBLE),   -- dimension -> score; absent = no evidence
    steps MAP(VARCHAR, DOUBLE),        -- step of the shown journey -> score
    evidence DOUBLE NOT NULL,          -- weighed lines
    confidence DOUBLE NOT NULL,        -- 0 to 1
    people INTEGER NOT NULL,
    smaller INTEGER NOT NULL,          -- relationships in it: more than one where small ones came up
    fallback_share DOUBLE NOT NULL,    -- records that name no service themselves, 0 to 1
    contacts INTEGER NOT NULL,         -- visible ones in the window
    last_contact DATE,
    is_capped BOOLEAN NOT NULL,        -- a severe line is unanswered
    month_score DOUBLE,                -- 30 days before
    month_state VARCHAR,
    reasons STRUCT(line VARCHAR, records BIGINT, points DOUBLE)[],
    moves STRUCT(line VARCHAR, records BIGINT, points DOUBLE)[]
);

-- Every change of state inside the window, with the lines that weighed most on that day.
CREATE TABLE engagement_change (
    sys_id VARCHAR NOT NULL,
    changed_on DATE NOT NULL,
    from_state VARCHAR NOT NULL,
    to_state VARCHAR NOT NULL,
    score DOUBLE,
    reasons STRUCT(line VARCHAR, records BIGINT, points DOUBLE)[]
);

-- What is in no relationship that may be shown.
CREATE TABLE engagement_left_out (
    too_small BIGINT NOT NULL,         -- relationships with too few people, and nobody above them
    nobodys BIGINT NOT NULL            -- records that name no customer
);

-- Path-dependent: the ring is proposed once, by evidence, and confirmed by a person.
CREATE TABLE ring (
    sys_id VARCHAR PRIMARY KEY,
    proposed_on DATE,
    evidence VARCHAR NOT NULL,         -- id of the ring evidence, '' for none
    confirmed_on DATE                  -- said here (travesia engagement --confirm-ring)
);

-- What people wrote into our rows in the tool, as last seen. Their texts stay there.
CREATE TABLE engagement_seen (
    sys_id VARCHAR PRIMARY KEY,
    ring_confirmed DATE,
    has_owner BOOLEAN NOT NULL,
    has_next_step BOOLEAN NOT NULL,
    due DATE
);
