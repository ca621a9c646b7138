"""The tills: enrolled tablets, their chained journals, shifts and the cash in their drawers."""
