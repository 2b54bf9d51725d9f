-- Up Migration
-- Priorities that nobody picks until an operator resumes them; a row is a pause. It holds over restarts of everything.
create table pauses (
  priority text primary key check (priority in ('high', 'medium', 'low')),
  paused_at timestamptz not null default now()
);

-- Down Migration
drop table pauses;
