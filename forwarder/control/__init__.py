"""The control room: the state store, which the packet process reads, and how a call or an import writes it.

`store` holds the state, `network_state` the network in it, `handler` runs a call and its audit event in one transaction,
`inventory_import` brings a file in.  What can be asked is in the rooms of the AWS services (`forwarder.elbv2`, `forwarder.ec2`).
"""
