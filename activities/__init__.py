"""The edge: classes given their adapters; they translate words and errors between Temporal and the world."""
