-- The network: what shall be, and what was observed of it.
CREATE TABLE network (
    created_order INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,               -- a field of forwarder.inventory.Inventory
    id TEXT NOT NULL,
    body TEXT NOT NULL,               -- JSON of the kind's struct
    imported TEXT NOT NULL,           -- the body that the inventory last said; empty: it says nothing of it
    state TEXT NOT NULL,              -- pending, available, deleting, deleted (the API's doing, though the inventory has it)
    UNIQUE (kind, id)
);
INSERT INTO counters VALUES ('network_revision', 0);
