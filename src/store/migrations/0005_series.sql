-- Up Migration
-- Bars by exchange, symbol and timeframe: one block a month, replaced as bars arrive. Blocks themselves never change.
create table bar_series (
  series_id  bigint generated always as identity primary key,
  exchange   text not null,
  symbol     text not null,
  timeframe  text not null,
  quality    jsonb,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  unique (exchange, symbol, timeframe)
);

create table series_blocks (
  series_id  bigint not null references bar_series (series_id) on delete cascade,
  month      text not null,
  block_hash text not null references bar_blocks (block_hash),
  bars       integer not null,
  first_time timestamptz not null,
  last_time  timestamptz not null,
  primary key (series_id, month)
);
create index ix_series_blocks_hash on series_blocks (block_hash);

-- What a task changed, so that its compensation takes back just that.
create table series_changes (
  change_id   bigint generated always as identity primary key,
  task_id     uuid not null,
  attempt     integer not null,
  series_id   bigint not null references bar_series (series_id) on delete cascade,
  month       text not null,
  before_hash text references bar_blocks (block_hash),
  after_hash  text not null references bar_blocks (block_hash),
  undone_at   timestamptz,
  created_at  timestamptz not null default now()
);
create index ix_series_changes_task on series_changes (task_id, change_id);

-- Doubles hardly shrink, and trying takes Postgres longer than writing them.
alter table bar_blocks alter column bytes set storage external;

-- Down Migration
alter table bar_blocks alter column bytes set storage extended;
drop table series_changes;
drop table series_blocks;
drop table bar_series;
