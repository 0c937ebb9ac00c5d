"""Takes one person's rows out of the lake, with every snapshot and file that still has them."""
