"""AWS's protocols, server side: what a client sent, as an operation with parameters; what it gets back, as bytes.

`services` knows the service models (botocore's), `query_request` and `json_request` read requests, `validation` holds
them against the model, `answer` writes results and errors, `sigv4` reads who asks, `server` puts it on a port.
What an operation does is not known here: a `Backend` is handed the call.
"""
