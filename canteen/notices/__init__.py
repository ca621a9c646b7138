"""Messages to people, each once."""
