"""A network to run in: VPCs, subnets, route tables, endpoint, appliances, clients and servers, in namespaces.

`topology.py` says which network it begins with, `wiring.py` how one is made of namespaces (`plan.py`), `reconcile.py` makes it so,
`caretaker.py` keeps it so, `lab.py` is the door.
"""
