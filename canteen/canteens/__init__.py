"""The places that cook, and whether they hang the sign."""
