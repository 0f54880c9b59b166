"""A model that plays a scenario: OpenAI-compatible, on loopback, in a process of its own."""
