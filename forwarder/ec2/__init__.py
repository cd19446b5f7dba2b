"""The operations of ec2, over the network in the state store: `operations` lists them."""
