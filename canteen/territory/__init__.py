"""City, districts, streets: who may see what."""
