"""The engine when a machine is outgrown: Spark, meaning what DuckDB means."""
