-- Alarms as they stand.  definition: AlarmEntry as JSON; template: name of the for_each alarm it is an instance of.
create table alarms (
  name text primary key, definition text not null, template text not null, state text not null, reason text not null,
  reason_data text not null, state_changed_s real not null, configured_s real not null) strict;

-- What happened, in order; the numbers are never used again, so they are positions of a log.
create table history (
  id integer primary key autoincrement, time_s real not null, alarm_name text not null, item_type text not null,
  from_state text not null, to_state text not null, summary text not null, reason text not null,
  data text not null) strict;
create index history_by_alarm on history (alarm_name, id);

-- Notifications still to be delivered.
create table outbox (
  id integer primary key autoincrement, alarm_name text not null, body text not null, attempts integer not null,
  due_s real not null) strict;

-- Tells this file's history from that of another file that took its place.
create table identity (id text not null) strict;
