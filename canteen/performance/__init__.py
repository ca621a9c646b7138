"""Inspecting, scoring and judging canteens: who keeps the sign, and why."""
