"""The console's door: what no page of ours asks for is refused before Dash sees it.

Dash trusts its callers: it takes a callback from any origin, answers a forged one with 500, and every unknown address
with the application.  So a request is looked at first: `origins` (from where, and by which name), `addresses` (whether
there is such a thing), `callback_body` with `control_values` (whether one of our pages could have sent it);
`middleware` puts them in front of the application and counts what is refused.
"""
