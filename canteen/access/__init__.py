"""Users, roles, scopes."""
