"""How the daemon shows itself: its log, its metrics, its traces, and whether it is well."""
