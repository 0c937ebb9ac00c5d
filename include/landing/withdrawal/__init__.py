"""Takes wrong files back: which objects, which partitions are ingested anew, which models learned from them."""
