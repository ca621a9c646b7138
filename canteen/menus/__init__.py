"""What is on offer; portions taken and put back."""
