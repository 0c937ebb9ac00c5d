"""Great Expectations suites, and the verdict on a partition before anybody reads it."""
