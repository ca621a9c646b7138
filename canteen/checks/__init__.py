"""Checks over the meals before money moves: what they look for, what they found, who decided."""
