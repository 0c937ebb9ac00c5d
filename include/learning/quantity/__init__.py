"""A label that is a number: candidates, intervals that hold, what to plan, and the gate."""
