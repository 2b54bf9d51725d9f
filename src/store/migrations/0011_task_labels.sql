-- Up Migration
-- What people call a task. Both indexes leave out tasks without a label, which are most: an insert of those pays nothing.
alter table tasks add column name text, add column tags text[] not null default '{}';
create index tasks_named on tasks (created_at desc) where name is not null;
create index tasks_tagged on tasks using gin (tags) where tags <> '{}';

-- Down Migration
drop index tasks_tagged;
drop index tasks_named;
alter table tasks drop column tags, drop column name;
