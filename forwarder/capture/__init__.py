"""The seam behind a data path: what every one of them hands over, and all that telemetry and service know of it.

`closed` is a capture window (`window`, columns), a sample of the counters (`counters`), or both; `drop_reason` is why packets do not
arrive.  A data path is what has the calls of `data_path`.
"""
