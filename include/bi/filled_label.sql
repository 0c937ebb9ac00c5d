-- Grain: one row per problem and row of the lake whose label is not known, filled in by the model that scored it; an item
-- that people have answered is left out, unless their answers wait for a lead or were withdrawn.
-- Reads: core.filled_label, core.label, core.label_flag.
-- Units: confidence_ratio is the probability that exactly this label is true, 0..1; class_probabilities has that of each
-- class. Of a quantity it is the probability that the number lies between low and high, all in unit. action is what pays
-- most; `ask a person` where asking pays.
-- Columns:
--   problem: name of the problem file
--   partition_key: key of the data's own hour, day or month
--   item_id: row key in the lake of the row whose label is not known
--   model_version: model that filled it in
--   label: likeliest class, or the labels that are acted on with a comma between them, empty is none; of a quantity
--     the number, in unit
--   confidence_ratio: probability that exactly this is true, 0..1, labels taken to be independent; of a quantity
--     that it lies between low and high
--   action: what pays most; `ask a person` where asking pays; of a quantity the number to plan with
--   class_probabilities: class or label to its probability, 0..1; missing for a quantity
--   low: lower end of a quantity's interval, in unit; missing for classes
--   high: upper end of a quantity's interval, in unit; missing for classes
--   unit: unit of a quantity; missing for classes
--   filled_at_utc: when the partition was scored, UTC
SELECT
    filled.problem,
    filled.partition_key,
    filled.item_id,
    filled.model_version,
    filled.label,
    filled.confidence_ratio,
    filled.action,
    filled.class_probabilities,
    filled.low,
    filled.high,
    filled.unit,
    filled.filled_at_utc
FROM core.filled_label AS filled
WHERE NOT EXISTS (
    SELECT 1
    FROM core.label AS given
    WHERE given.problem = filled.problem
        AND given.item_id = filled.item_id
        AND NOT EXISTS (
            SELECT 1
            FROM core.label_flag AS flag
            WHERE flag.problem = given.problem
                AND flag.batch_id = given.batch_id
                AND flag.labelled_by = given.labelled_by
                AND flag.status IN ('waiting', 'withdrawn')
        )
)
