-- Grain: one row per problem, cause and thing that happened to its alert.
-- Reads: core.alert_event, core.alert_message.
-- Units: value and bound in the metric's own unit, of the worst of the alert at that time; until_utc only of snoozed.
-- actor is the login of a person where is_by_person, else the stage.
-- Columns:
--   problem: name of the problem file
--   alert_id: cause, as in alert_open
--   event_number: place in what happened to this cause, ordinal from 1
--   event: opened, escalated, snoozed, retrain_asked, retrained (a version was decided since) or closed
--   partition_key: newest partition that showed it; of closed by itself, the one that was fine again
--   is_by_person: whether a person did it, yes or no
--   actor: login of the person, or monitor
--   reason: why, in words
--   until_utc: until when it is put off, UTC; of snoozed only
--   metric: of the worst that was seen, as in alert_open
--   subject: model version, or the features that were worst of it
--   value: what was seen of the worst, in the unit of metric
--   bound: what was allowed of the worst, in the unit of metric
--   happened_at_utc: when it happened, UTC, by the clock of whoever wrote it
--   n_messages: messages about it, count; 0 where nobody was to be told, or a snooze kept it silent
--   n_told: those of them that a server took, count
--   n_given_up: those of them that are not tried again, count
--   told_at_utc: when a server took the first of them, UTC; missing where none has
--   message_error: why one of them was not taken, or is not tried any more, with recipient, channel and attempts; missing
--     where nothing kept one of them
WITH message AS (
    SELECT
        problem,
        alert_id,
        event_number,
        COUNT(*) FILTER (WHERE status <> 'silent') AS n_messages,
        COUNT(*) FILTER (WHERE status = 'told') AS n_told,
        COUNT(*) FILTER (WHERE status = 'given_up') AS n_given_up,
        MIN(told_at_utc) AS told_at_utc,
        MIN(recipient || ' by ' || channel || ', attempt ' || n_attempts || ': ' || last_error)
            FILTER (WHERE status <> 'silent') AS message_error
    FROM core.alert_message
    GROUP BY
        problem,
        alert_id,
        event_number
)
SELECT
    happened.problem,
    happened.alert_id,
    happened.event_number,
    happened.event,
    happened.partition_key,
    happened.is_by_person,
    happened.actor,
    happened.reason,
    happened.until_utc,
    happened.metric,
    happened.subject,
    happened.value,
    happened.bound,
    happened.happened_at_utc,
    COALESCE(message.n_messages, 0) AS n_messages,
    COALESCE(message.n_told, 0) AS n_told,
    COALESCE(message.n_given_up, 0) AS n_given_up,
    message.told_at_utc,
    message.message_error
FROM core.alert_event AS happened
LEFT JOIN message
    ON message.problem = happened.problem
    AND message.alert_id = happened.alert_id
    AND message.event_number = happened.event_number
