"""Money through the provider; the only file that speaks HTTP to it is gateway.py."""
