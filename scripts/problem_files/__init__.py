"""Problem files for newcomers: a proposal from a sample of a log, and a dry run of what a file says."""
