-- Up Migration
-- Which engine a process computes with; null: of before this column. A sweep that was handed back because its rows are of another one.
alter table workers add column engine text;
alter table sweeps add column handed_back_at timestamptz;
create index sweeps_handed_back on sweeps (engine_version) where handed_back_at is not null;

-- Down Migration
drop index sweeps_handed_back;
alter table sweeps drop column handed_back_at;
alter table workers drop column engine;
