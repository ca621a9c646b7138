"""Tests of closing, reviewing and paying out."""
