"""Tests of the checks over the meals."""
