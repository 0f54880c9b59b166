"""Other people's worlds: OpenCode, git, commands, processes. No Temporal, no mission rules; usable from a REPL."""
