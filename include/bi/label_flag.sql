-- Grain: one row per problem, batch and person whose answers look like nobody read the items.
-- Reads: core.label_flag.
-- Units: n_labels are that person's answers in that batch. status is waiting (for a lead; no model learns from them),
-- accepted, or withdrawn (as if never given; their items can be asked again). Figures about persons are for their leads.
-- Columns:
--   problem: name of the problem file
--   batch_id: batch the answers were given in
--   labelled_by: who gave them
--   n_labels: answers of that person in that batch, count
--   reason: why nobody relies on them yet
--   flagged_at_utc: when they were flagged, UTC
--   status: waiting for a lead, accepted, or withdrawn: as if never given
--   decided_by: the lead who decided; empty while it waits
--   decided_at_utc: when the lead decided, UTC; missing while it waits
SELECT
    flag.problem,
    flag.batch_id,
    flag.labelled_by,
    flag.n_labels,
    flag.reason,
    flag.flagged_at_utc,
    flag.status,
    flag.decided_by,
    flag.decided_at_utc
FROM core.label_flag AS flag
