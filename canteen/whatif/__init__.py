"""A draft policy replayed over past meals: what it would have cost, who gains and who loses."""
