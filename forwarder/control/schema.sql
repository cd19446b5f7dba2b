-- The state store.  What shall be (API), what was observed (prober), and the audit events not yet on the bus.
CREATE TABLE counters (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO counters VALUES ('revision', 0);

CREATE TABLE identity (               -- tells this store from another one at the same path
    value TEXT NOT NULL
);
INSERT INTO identity VALUES (lower(hex(randomblob(4))));

CREATE TABLE load_balancers (
    created_order INTEGER PRIMARY KEY AUTOINCREMENT,
    arn TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL,
    vpc_id TEXT NOT NULL,
    ip_address_type TEXT NOT NULL,
    state TEXT NOT NULL               -- provisioning, active
);

CREATE TABLE load_balancer_subnets (
    load_balancer_arn TEXT NOT NULL REFERENCES load_balancers (arn) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    subnet_id TEXT NOT NULL,
    zone TEXT NOT NULL,
    PRIMARY KEY (load_balancer_arn, position),
    UNIQUE (load_balancer_arn, zone)
) WITHOUT ROWID;

CREATE TABLE target_groups (
    created_order INTEGER PRIMARY KEY AUTOINCREMENT,
    arn TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL UNIQUE,
    vpc_id TEXT NOT NULL,
    target_type TEXT NOT NULL,        -- instance, ip
    protocol TEXT NOT NULL,           -- of the health check: TCP, HTTP, HTTPS
    port TEXT NOT NULL,               -- of the health check: a number, or traffic-port
    path TEXT NOT NULL,
    interval_s INTEGER NOT NULL,
    timeout_s INTEGER NOT NULL,
    healthy_threshold INTEGER NOT NULL,
    unhealthy_threshold INTEGER NOT NULL,
    success_codes TEXT NOT NULL
);

CREATE TABLE targets (
    registered_order INTEGER PRIMARY KEY AUTOINCREMENT,
    target_group_arn TEXT NOT NULL REFERENCES target_groups (arn) ON DELETE CASCADE,
    id TEXT NOT NULL,
    address TEXT NOT NULL,
    zone TEXT NOT NULL,               -- a zone's name, or all
    port INTEGER NOT NULL,
    instance_id TEXT NOT NULL,
    interface_id TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    description TEXT NOT NULL,
    deregistered_at_s REAL,
    UNIQUE (target_group_arn, id)
);

CREATE TABLE listeners (
    created_order INTEGER PRIMARY KEY AUTOINCREMENT,
    arn TEXT NOT NULL UNIQUE,
    load_balancer_arn TEXT NOT NULL UNIQUE REFERENCES load_balancers (arn) ON DELETE CASCADE,
    target_group_arn TEXT NOT NULL UNIQUE REFERENCES target_groups (arn)
);

CREATE TABLE attributes (             -- only what was set; the rest has the defaults of attributes.json
    resource_arn TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (resource_arn, key)
) WITHOUT ROWID;

CREATE TABLE tags (
    resource_arn TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (resource_arn, key)
) WITHOUT ROWID;

CREATE TABLE audit_outbox (           -- AUTOINCREMENT: an id is never used twice, and a rollback gives it back
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    record BLOB NOT NULL              -- a CloudTrail record, JSON
);
