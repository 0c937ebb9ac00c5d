"""The landing room is tested with the same small landing as the lake."""

from tests.include.lake.conftest import flight, landing

__all__ = ["flight", "landing"]
