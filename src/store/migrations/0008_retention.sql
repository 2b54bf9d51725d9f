-- Up Migration
-- When somebody stored it last, or found it stored already: what a task is about to name must not be cleaned up
-- between the two transactions that store its input and its row.
alter table datasets add column used_at timestamptz not null default now();
alter table bar_blocks add column used_at timestamptz not null default now();
alter table strategy_sources add column used_at timestamptz not null default now();
update datasets set used_at = created_at;
-- Each block that goes is looked for here, by its foreign keys and by the cleanup.
create index ix_series_changes_before on series_changes (before_hash) where before_hash is not null;
create index ix_series_changes_after on series_changes (after_hash);

-- Down Migration
drop index ix_series_changes_after;
drop index ix_series_changes_before;
alter table strategy_sources drop column used_at;
alter table bar_blocks drop column used_at;
alter table datasets drop column used_at;
