"""What every service shares: settings, logs, traces, metrics, health, the HTTP side and the end of a process.

Stands on third parties only, never on the tool or on a service.
"""
