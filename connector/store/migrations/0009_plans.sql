-- What people had planned for a relationship, by when it was seen: appended where it differs from
-- what was seen before, never rewritten, so that a month can be held against what was planned when it
-- began. Their texts stay in the tool.
CREATE TABLE engagement_plan (
    sys_id VARCHAR NOT NULL,
    seen_at TIMESTAMP NOT NULL,        -- the run's high mark (the instance's clock, UTC)
    ring_confirmed DATE,
    has_owner BOOLEAN NOT NULL,
    has_next_step BOOLEAN NOT NULL,
    due DATE,
    step_mark VARCHAR                  -- tells one next step from another; NULL: not known, '' for none
);

-- The first look at the rows in the tool: what was planned before it is not known.
CREATE TABLE engagement_plan_start (began_at TIMESTAMP NOT NULL);

-- A store from before these tables begins with what its last whole run saw.
INSERT INTO engagement_plan_start
SELECT arg_max(high_mark, started_at) FROM run
WHERE kind = 'sync' AND outcome IN ('succeeded', 'partial') AND high_mark IS NOT NULL
  AND EXISTS (FROM engagement_seen)
HAVING count(*) > 0;

INSERT INTO engagement_plan
SELECT s.sys_id, b.began_at, s.ring_confirmed, s.has_owner, s.has_next_step, s.due,
    CASE WHEN s.has_next_step THEN NULL ELSE '' END
FROM engagement_seen AS s, engagement_plan_start AS b
WHERE s.ring_confirmed IS NOT NULL OR s.has_owner OR s.has_next_step OR s.due IS NOT NULL;
