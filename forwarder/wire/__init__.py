"""Bytes <-> values: GENEVE with Amazon's options (scapy's definition and its fast `struct` twin), inner packet."""
