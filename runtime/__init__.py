"""The process: settings, the Temporal connection, telemetry. Shared by the worker and the client."""
