"""Paying out: batches by two people, bank files, changed accounts, reconciliation."""
