"""Scripts that compare two things in one run and print ratios. Nothing here is a test."""
