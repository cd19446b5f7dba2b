"""Alarms with CloudWatch's rules: definition, evaluation without I/O, state and history, notification."""
