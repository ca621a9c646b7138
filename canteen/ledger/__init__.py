"""Money: who owes whom; knows nothing of meals."""
