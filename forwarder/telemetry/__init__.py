"""Counters become records: flow-log lines on the capture window's clock, metrics on the period's."""
