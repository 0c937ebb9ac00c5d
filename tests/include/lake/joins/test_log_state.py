from datetime import UTC, datetime

from include.lake.joins.log_state import LogState


def test_what_is_written_down_is_read_back_as_it_was():
    day = datetime(2024, 1, 1, tzinfo=UTC)
    for state in (LogState(), LogState("7", day, ((day, day.replace(day=2)),))):
        assert LogState.from_row(state.to_row()) == state
