"""Decisions about packets, without I/O: which flow, which target, whether at all; the time is an argument."""
