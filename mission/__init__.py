"""The rules of a mission: values in, decisions out. Nothing here does I/O or knows Temporal."""
