"""The plain story of a meal, an elder, a canteen, a statement: everything on one line of time."""
