"""What else is measured of an experiment's units: sums of money, counts and ratios, and what must not get worse."""
