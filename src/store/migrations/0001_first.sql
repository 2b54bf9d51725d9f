-- Up Migration
-- Times are timestamptz by the server's clock. What grows without end is partitioned by month; the
-- default partitions exist so that a write never fails for want of one (see ensure_partitions).

create table tasks (
  task_id            uuid primary key,
  task_type          text not null,
  priority           text not null check (priority in ('high', 'medium', 'low')),
  status             text not null default 'pending'
                     check (status in ('pending', 'processing', 'completed', 'failed', 'dead_letter', 'cancelled')),
  data               jsonb not null,
  user_id            text,
  ip_address         text,
  timeout            integer not null default 300 check (timeout > 0),
  max_retries        integer not null default 3 check (max_retries >= 0),
  retry_count        integer not null default 0,
  error_message      text,
  created_at         timestamptz not null default now(),
  started_at         timestamptz,
  completed_at       timestamptz,
  processing_time_ms bigint,
  attempt            integer not null default 0,
  generation         integer not null default 1,
  crashes            integer not null default 0,
  message_id         text,
  published_at       timestamptz,
  not_before         timestamptz,
  deadline_at        timestamptz,
  owner              text,
  idempotency_key    text,
  payload_hash       text not null,
  attach_key         text,
  parent_id          uuid references tasks (task_id),
  cancel_requested_at timestamptz,
  progress           jsonb,
  result             jsonb,
  error              jsonb,
  dead_reason        text
);
create index ix_task_status_created on tasks (status, created_at);
create index ix_task_type_status on tasks (task_type, status);
create index ix_task_user_created on tasks (user_id, created_at);
create unique index ux_task_idempotency on tasks (coalesce(user_id, ''), idempotency_key) where idempotency_key is not null;
-- The quiet reconciler reads only this index.
create index ix_task_unpublished on tasks (created_at) where status = 'pending' and published_at is null;
create index ix_task_owner on tasks (owner) where status = 'processing';
create index ix_task_attach on tasks (attach_key) where attach_key is not null and status in ('pending', 'processing');
create index ix_task_parent on tasks (parent_id) where parent_id is not null;

create table task_events (
  event_id    bigint generated always as identity,
  task_id     uuid not null,
  at          timestamptz not null default clock_timestamp(),
  event       text not null,
  from_status text,
  to_status   text,
  attempt     integer not null default 0,
  generation  integer not null default 1,
  worker      text,
  detail      jsonb,
  primary key (at, event_id)
) partition by range (at);
create table task_events_default partition of task_events default;
create index ix_task_events_task on task_events (task_id, event_id);

create table checkpoints (
  checkpoint_id bigint generated always as identity,
  task_id       uuid not null,
  attempt       integer not null,
  step          text not null,
  data          jsonb not null,
  created_at    timestamptz not null default clock_timestamp(),
  primary key (created_at, checkpoint_id)
) partition by range (created_at);
create table checkpoints_default partition of checkpoints default;
create index ix_checkpoints_task on checkpoints (task_id, checkpoint_id);

create table saga_runs (
  task_id     uuid not null references tasks (task_id),
  run         integer not null,
  saga_type   text not null,
  version     integer not null,
  status      text not null check (status in ('running', 'completed', 'compensating', 'compensated', 'compensation_failed')),
  attempt     integer not null,
  row_version integer not null default 1,
  started_at  timestamptz not null default now(),
  finished_at timestamptz,
  primary key (task_id, run)
);

create table saga_steps (
  task_id     uuid not null,
  run         integer not null,
  step        text not null,
  undo        boolean not null default false,
  seq         integer not null,
  status      text not null check (status in ('started', 'finished', 'failed')),
  attempt     integer not null,
  input_hash  text,
  output      jsonb,
  error       jsonb,
  started_at  timestamptz not null default now(),
  finished_at timestamptz,
  primary key (task_id, run, step, undo),
  foreign key (task_id, run) references saga_runs (task_id, run)
);

create table strategies (
  strategy_id integer generated always as identity primary key,
  name        text not null,
  params      jsonb not null default '{}',
  version     integer not null default 1,
  source_hash text,
  created_at  timestamptz not null default now()
);

create table strategy_sources (
  source_hash text primary key,
  name        text not null,
  code        bytea not null,
  created_at  timestamptz not null default now()
);

create table bar_blocks (
  block_hash text primary key,
  month      text not null,
  bars       integer not null,
  bytes      bytea not null,
  created_at timestamptz not null default now()
);

create table datasets (
  data_hash  text primary key,
  source     text not null,
  exchange   text,
  symbol     text,
  timeframe  text,
  bars       integer not null,
  first_time timestamptz not null,
  last_time  timestamptz not null,
  size_bytes bigint not null,
  blocks     text[] not null,
  warnings   jsonb not null default '[]',
  created_at timestamptz not null default now()
);
create index ix_datasets_symbol on datasets (exchange, symbol, timeframe);

create table sweeps (
  sweep_id       uuid primary key references tasks (task_id),
  created_at     timestamptz not null default now(),
  spec_hash      text not null,
  data_hash      text not null,
  engine_version text not null,
  generation     integer not null,
  full_size      bigint not null,
  quantum_size   bigint not null,
  quanta         integer not null,
  open_shards    integer not null default 0,
  trials         bigint,
  result_hash    text,
  finished_at    timestamptz
);

-- Partitioned by the sweep's own time, so that (sweep, quantum) stays unique over a month's end.
create table sweep_chunks (
  sweep_created_at timestamptz not null,
  sweep_id         uuid not null,
  quantum          integer not null,
  from_index       bigint not null,
  to_index         bigint not null,
  trials           integer not null,
  attempt          integer not null,
  cost_ms          double precision not null,
  rows             bytea not null,
  created_at       timestamptz not null default now(),
  primary key (sweep_created_at, sweep_id, quantum)
) partition by range (sweep_created_at);
create table sweep_chunks_default partition of sweep_chunks default;

create table sweep_top (
  sweep_id uuid not null references sweeps (sweep_id),
  rank     integer not null,
  trial    bigint not null,
  params   jsonb not null,
  metrics  jsonb not null,
  held_out jsonb,
  primary key (sweep_id, rank)
);

create table task_artifacts (
  task_id    uuid not null references tasks (task_id),
  kind       text not null,
  attempt    integer not null,
  bytes      bytea not null check (length(bytes) <= 67108864),
  created_at timestamptz not null default now(),
  primary key (task_id, kind)
);

create table workers (
  incarnation text primary key,
  worker_name text not null,
  host        text not null,
  pid         integer not null,
  process_key text,
  threads     integer not null,
  role        text not null check (role in ('worker', 'session')),
  started_at  timestamptz not null default now(),
  beat_at     timestamptz not null default now(),
  stopped_at  timestamptz
);

create table quarantine (
  quarantine_id bigint generated always as identity primary key,
  message_id    text not null,
  priority      text not null,
  reason        text not null,
  body          bytea,
  created_at    timestamptz not null default now()
);

-- Creates the monthly partitions from this month to `ahead` months on. Idempotent; takes an advisory lock,
-- because two workers may start at once. A month whose rows already lie in the default partition is left there.
create function ensure_partitions(ahead integer) returns void language plpgsql as $$
declare
  parent text;
  month date;
begin
  perform pg_advisory_xact_lock(hashtext(current_schema() || '.ensure_partitions'));
  foreach parent in array array['task_events', 'checkpoints', 'sweep_chunks'] loop
    for i in 0..ahead loop
      month := (date_trunc('month', now()) + make_interval(months => i))::date;
      if to_regclass(format('%I', parent || '_' || to_char(month, 'YYYYMM'))) is null then
        begin
          execute format('create table %I partition of %I for values from (%L) to (%L)',
            parent || '_' || to_char(month, 'YYYYMM'), parent, month, (month + interval '1 month')::date);
        exception when check_violation then null;
        end;
      end if;
    end loop;
  end loop;
end $$;

-- Down Migration
drop function ensure_partitions(integer);
drop table quarantine, workers, task_artifacts, sweep_top, sweep_chunks, sweeps, datasets, bar_blocks,
  strategy_sources, strategies, saga_steps, saga_runs, checkpoints, task_events, tasks;
