-- Grain: one row per problem and person whom a lead has blocked.
-- Reads: core.person_block.
-- Units: n_labels are the answers they had given when they were blocked; while is_standing, no model learns from any of
-- them. Figures about persons are for their leads.
-- Columns:
--   problem: name of the problem file
--   labelled_by: whose answers count as never given
--   n_labels: answers they had given when they were blocked, count
--   reason: why, in the lead's words
--   blocked_by: the lead
--   blocked_at_utc: when they were blocked, UTC
--   is_standing: whether the block stands; while it does, no model learns from any of their answers
--   lifted_by: the lead who took it back; empty while it stands
--   lifted_at_utc: when it was taken back, UTC; missing while it stands
SELECT
    block.problem,
    block.labelled_by,
    block.n_labels,
    block.reason,
    block.blocked_by,
    block.blocked_at_utc,
    block.lifted_at_utc IS NULL AS is_standing,
    block.lifted_by,
    block.lifted_at_utc
FROM core.person_block AS block
