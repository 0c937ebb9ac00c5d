-- Grain: one row per problem, partition, model version and metric; problems with two classes.
-- Reads: core.performance_estimate, core.model_version, core.problem.
-- Units: positive_ratio and brier_score 0..1, log_loss_nats in nats, profit a row in value_unit. estimate, low and high
-- are said of all scored rows from the model's probabilities alone, before any label; labelled_estimate with its low and
-- high of those rows whose label has come since, and actual is what these labels say.
-- The intervals are for 95 of 100 partitions. They hold the chance in the labels, and how far such estimates were off
-- beyond chance in earlier partitions whose labels are known (n_audited), by Student's t with as many degrees of freedom
-- (Hill's series); with fewer than three of those nobody knows how far to trust a model, and there is no interval. An
-- interval ends where the figure does: a share between 0 and 1.
-- A partition that a model was trained on audits nothing, and no audit is made of it.
-- Columns:
--   problem: name of the problem file
--   partition_key: key of the data's own hour, day or month
--   model_version: model that scored the partition
--   metric: positive_ratio (0..1), brier_score (0..1), log_loss_nats (nats a row) or profit (a row, in value_unit)
--   value_unit: unit of every expected profit, as EUR or minutes; missing without a value section
--   n_rows: scored rows whose prediction is kept, count
--   estimate: what the metric is expected to be over all of them, said without a label, in the metric's unit
--   low: lower end of the 95 % interval of estimate, in the metric's unit; missing where n_audited is below 3
--   high: upper end of the 95 % interval of estimate, in the metric's unit; missing where n_audited is below 3
--   n_audited: earlier partitions whose labels were held against their estimate, count
--   n_labelled: scored rows with a known label, count
--   labelled_estimate: what was to be expected of the labelled rows, without their labels, in the metric's unit
--   labelled_low: lower end of the 95 % interval of labelled_estimate, in the metric's unit
--   labelled_high: upper end of the 95 % interval of labelled_estimate, in the metric's unit
--   actual: what the metric was over the labelled rows, in the metric's unit; missing while none has a label
--   is_covered: whether actual lies in the interval of labelled_estimate; missing where there is no audit
WITH told AS (
    SELECT
        estimate.*,
        -- The square of a smaller number is none that a computer holds.
        GREATEST(estimate.standard_error, 1e-100) ^ 2 AS variance,
        GREATEST(estimate.labelled_standard_error, 1e-100) ^ 2 AS labelled_variance,
        CASE
            WHEN estimate.label_arm = 'random' OR estimate.partition_key > version.trained_through THEN estimate.actual
        END AS unseen_actual
    FROM core.performance_estimate AS estimate
    LEFT JOIN core.model_version AS version
        ON version.problem = estimate.problem
        AND version.model_version = estimate.model_version
),
audited AS (
    SELECT
        told.*,
        COUNT(unseen_actual) OVER earlier AS n_audited,
        GREATEST(
            AVG(GREATEST(ABS(unseen_actual - labelled_estimate), 1e-100) ^ 2 - labelled_variance)
                FILTER (WHERE unseen_actual IS NOT NULL) OVER earlier,
            0
        ) AS extra_variance
    FROM told
    WINDOW
        earlier AS (
            PARTITION BY problem, metric
            ORDER BY partition_key
            GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        )
),
reached AS (
    SELECT
        audited.*,
        CASE WHEN metric <> 'profit' THEN 0 END AS least,
        CASE WHEN metric IN ('positive_ratio', 'brier_score') THEN 1 END AS most,
        CASE
            WHEN n_audited >= 3
                THEN
                    1.959964 + 2.372271 / n_audited + 2.822499 / n_audited ^ 2 + 2.555850 / n_audited ^ 3
                    + 1.589534 / n_audited ^ 4
        END AS t
    FROM audited
)
SELECT
    reached.problem,
    reached.partition_key,
    reached.model_version,
    reached.metric,
    problem.value_unit,
    reached.n_rows,
    reached.estimate,
    CASE
        WHEN reached.t IS NOT NULL
            THEN
                GREATEST(
                    reached.estimate - reached.t * SQRT(reached.extra_variance + reached.variance),
                    reached.least
                )
    END AS low,
    CASE
        WHEN reached.t IS NOT NULL
            THEN
                LEAST(
                    reached.estimate + reached.t * SQRT(reached.extra_variance + reached.variance),
                    reached.most
                )
    END AS high,
    reached.n_audited,
    reached.n_labelled,
    reached.labelled_estimate,
    CASE
        WHEN reached.t IS NOT NULL
            THEN
                GREATEST(
                    reached.labelled_estimate - reached.t * SQRT(reached.extra_variance + reached.labelled_variance),
                    reached.least
                )
    END AS labelled_low,
    CASE
        WHEN reached.t IS NOT NULL
            THEN
                LEAST(
                    reached.labelled_estimate + reached.t * SQRT(reached.extra_variance + reached.labelled_variance),
                    reached.most
                )
    END AS labelled_high,
    reached.actual,
    ABS(reached.unseen_actual - reached.labelled_estimate)
    <= reached.t * SQRT(reached.extra_variance + reached.labelled_variance) AS is_covered
FROM reached
LEFT JOIN core.problem AS problem
    ON problem.problem = reached.problem
