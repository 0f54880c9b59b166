"""The local stack: a Temporal dev server, the worker, the scripted model where one is wanted, and who keeps them up."""
