"""Closing a month, reviewing what it owes, and paying it out."""
