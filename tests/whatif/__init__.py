"""Tests of the replay of draft policies."""
