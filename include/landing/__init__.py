"""Landing: what arrived, kept exactly as it came, and which partitions it feeds."""
