"""A network to run in: VPCs, subnets, route tables, endpoint, appliances, clients and servers, as network namespaces.

`plan.py` says what a network is made of, `topology.py` which one the lab has, `build.py` makes it, `lab.py` is the door.
"""
