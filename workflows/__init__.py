"""Durable: deterministic code that runs the rules of `mission/` and schedules activities."""
