"""The demo city: made-up people and canteens, shaped like a real programme."""
