"""`gatewatch demo`: the lab, the services, traffic, and an appliance that dies and comes back."""
