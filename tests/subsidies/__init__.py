"""Tests of the subsidies."""
