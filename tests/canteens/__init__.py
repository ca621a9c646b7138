"""Tests of the canteens."""
