-- Grain: one row per problem, model version and pair of methods that rank features, each pair once.
-- Reads: core.feature_importance.
-- Units: rank_correlation is Spearman's, -1..1, over the n_features that both methods rank; missing where one of them
-- sees no difference between any two. most_disputed is the feature whose places lie farthest apart.
-- Columns:
--   problem: name of the problem file
--   model_version: version that was asked
--   method: one way of ranking features: permutation, ablation, mutual_information, l1_path or contribution
--   other_method: the other one, later in the alphabet
--   n_features: features that both methods rank, count
--   rank_correlation: Spearman's correlation of their places, -1..1; missing where one sees no difference between
--     any two
--   most_disputed: feature whose places lie farthest apart
--   places_apart: how far apart its places are, in places from 0 up
WITH paired AS (
    SELECT
        one.problem,
        one.model_version,
        one.method AS method,
        other.method AS other_method,
        one.feature,
        one.rank,
        other.rank AS other_rank
    FROM core.feature_importance AS one
    INNER JOIN core.feature_importance AS other
        ON other.problem = one.problem
        AND other.model_version = one.model_version
        AND other.feature = one.feature
        AND other.method > one.method
)
SELECT
    problem,
    model_version,
    method,
    other_method,
    COUNT(*) AS n_features,
    CORR(rank, other_rank) AS rank_correlation,
    (ARRAY_AGG(feature ORDER BY ABS(rank - other_rank) DESC, feature))[1] AS most_disputed,
    MAX(ABS(rank - other_rank)) AS places_apart
FROM paired
GROUP BY
    problem,
    model_version,
    method,
    other_method
