"""Health probes: sockets that ask a target whether it is well, and the process that asks at the right times."""
