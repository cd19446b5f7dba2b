"""The console: pages that mirror CloudWatch, over the answers of `queries`."""
