"""The people the subsidy is for, their family, their cards."""
