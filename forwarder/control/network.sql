-- The network: what shall be, and what was observed of it.
CREATE TABLE network (
    created_order INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,               -- a field of forwarder.inventory.Inventory
    id TEXT NOT NULL,
    origin TEXT NOT NULL,             -- inventory: comes and goes with what the file says; api
    body TEXT NOT NULL,               -- JSON of the kind's struct
    state TEXT NOT NULL,              -- pending, available, deleting
    UNIQUE (kind, id)
);
INSERT INTO counters VALUES ('network_revision', 0);
