-- Up Migration
-- A schedule makes a task at each of its times. `data` is a task's payload with its bars and code pinned by hash.
create table schedules (
  schedule_id  integer generated always as identity primary key,
  name         text not null unique,
  cron         text not null,
  time_zone    text not null,
  task_type    text not null,
  priority     text not null check (priority in ('high', 'medium', 'low')),
  data         jsonb not null,
  user_id      text,
  timeout      integer not null check (timeout > 0),
  max_retries  integer not null check (max_retries >= 0),
  enabled      boolean not null default true,
  next_fire_at timestamptz not null,
  last_fire_at timestamptz,
  last_task_id uuid,
  created_at   timestamptz not null default now()
);
create index ix_schedule_due on schedules (next_fire_at) where enabled;

-- Down Migration
drop table schedules;
