"""AWS's protocols, one file each, with one interface (`protocol.py`)."""
