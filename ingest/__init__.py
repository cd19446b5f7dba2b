"""The only writer of the lake: messages from the bus become Parquet files that the manifest publishes."""
