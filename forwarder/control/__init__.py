"""The control room: elbv2, ec2 and sts operations over one SQLite state store that the packet process reads.

`store` holds the state, `operations` names what can be asked, one module a noun does it (`load_balancers`,
`target_groups`, …), `handler` runs a call and its audit event in one transaction, `service` serves them.
"""
