"""The rules of who pays which part of a meal, and the grants made by them."""
