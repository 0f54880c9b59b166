"""What a durable mission costs over bare OpenCode doing the same turns. Prints ratios of medians of paired rounds.

    .venv/bin/python -m benchmarks.overhead [--rounds 7] [--todos 6] [--latency] [--slots] [--cold]

Both sides share one OpenCode and one scripted model; everything is warm; rounds alternate, so that noise of the machine
hits both. The mission has everything on: Temporal dev server on a file, worker process, checks, merges, reviews.
"""
