"""The made-up city and the pretend provider that let the whole service be tried and tested."""
