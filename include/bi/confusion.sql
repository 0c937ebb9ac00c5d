-- Grain: one row per problem, model version, true class and class that the model took its rows for.
-- Reads: core.confusion.
-- Units: share_ratio is of the rows of the true class, 0..1; low and high are its 95 % Wilson interval.
-- Columns:
--   problem: name of the problem file
--   model_version: version that was asked
--   true_class: what held-out rows are; of several labels also `not` the label
--   said_class: what the model takes them for: its likeliest class, or a label from 0.5 on
--   n_rows: held-out rows of this pair, count
--   share_ratio: share of the rows of the true class, 0..1
--   low: lower end of the 95 % Wilson interval of share_ratio, 0..1
--   high: upper end of the 95 % Wilson interval of share_ratio, 0..1
--   is_right: whether said_class is true_class
SELECT
    problem,
    model_version,
    true_class,
    said_class,
    n_rows,
    share_ratio,
    low,
    high,
    true_class = said_class AS is_right
FROM core.confusion
