"""What programs may send and what they are answered, field by field."""
