"""SQLite: how a file is recognised, made, migrated, opened, joined by others, and read."""
