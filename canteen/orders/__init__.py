"""Placing, paying, serving and cancelling orders, and booking them day by day."""
