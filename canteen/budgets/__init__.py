"""The funds of each purse, and the yearly true-up of city and district."""
