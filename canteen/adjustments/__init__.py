"""What is put right after the fact: late facts, claims, appeals, instalments."""
