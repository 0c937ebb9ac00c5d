"""Where heavy relational work runs: Ibis expressions, on DuckDB inside the process.

The only room that knows the engine's own SQL; every other room hands it expressions, predicates and file names.
"""
