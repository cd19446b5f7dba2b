-- What must not be foreseen from outside, and must be the same after a restart.
CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;
INSERT INTO secrets VALUES ('flows', randomblob(32));
