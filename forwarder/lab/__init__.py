"""A network to run in: VPCs, subnets, route tables, endpoint, appliances, clients and servers, in namespaces.

`plan.py` says what a network is made of, `topology.py` which one it is, `build.py` makes it, `lab.py` is the door.
"""
