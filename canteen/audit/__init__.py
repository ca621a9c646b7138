"""Who did what: append-only, each record chained to the last."""
