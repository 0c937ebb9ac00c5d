"""How raw objects become records: CSV, JSON, Parquet and access logs, plain or compressed, recognised by content."""
