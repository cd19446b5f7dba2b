"""Everything that asks the lake a question: SQL, saved queries, metric statistics, alarms."""
