"""The operations of elbv2 for gateway load balancers, over the state store: one module a noun, `operations` lists them."""
