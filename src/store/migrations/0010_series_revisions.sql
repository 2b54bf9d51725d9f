-- Up Migration
-- What became of a series, revision by revision: a revision names the months that it changed, with the block that each had
-- before. The series as it was after revision R has, for each month that a later one changed, the block before the first of
-- those. A cleanup may take such blocks (hence no reference to bar_blocks); the row stays and says so.
create table series_revisions (
  series_id  bigint not null references bar_series (series_id) on delete cascade,
  revision   integer not null,
  kind       text not null check (kind in ('found', 'import', 'repair', 'sync', 'undo', 'restore', 'remove')),
  source     text not null,
  task_id    uuid,
  bars       bigint not null,
  added      bigint not null,
  replaced   bigint not null,
  -- What the report of the series said before of bars that were made up or not finished.
  marks      jsonb,
  created_at timestamptz not null default now(),
  primary key (series_id, revision)
);

create table series_revision_months (
  series_id   bigint not null,
  revision    integer not null,
  month       text not null,
  -- {hash, bars, first_ms, last_ms}, null: the series had nothing in this month.
  before      jsonb,
  before_hash text generated always as (before->>'hash') stored,
  replaced_at timestamptz not null default now(),
  primary key (series_id, revision, month),
  foreign key (series_id, revision) references series_revisions (series_id, revision) on delete cascade
);
create index ix_series_revision_months_before on series_revision_months (before_hash, replaced_at);

-- Series that are older than their history begin with what they are.
insert into series_revisions (series_id, revision, kind, source, bars, added, replaced)
select s.series_id, 1, 'found', 'what was stored when history began', coalesce(sum(b.bars), 0), coalesce(sum(b.bars), 0), 0
from bar_series s left join series_blocks b on b.series_id = s.series_id group by s.series_id;
insert into series_revision_months (series_id, revision, month, before)
select series_id, 1, month, null from series_blocks;

-- Down Migration
drop table series_revision_months;
drop table series_revisions;
