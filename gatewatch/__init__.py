"""The ground floor: records, bus, AWS protocols and settings, on which every room stands.

Nothing here imports a room (`forwarder`, `ingest`, `queries`, `dashboards`); `gatewatch.cli` alone does.
"""
