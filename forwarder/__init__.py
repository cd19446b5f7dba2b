"""Packets and what decides about them: wire codec, engine, data path, control, health, telemetry and the lab."""
