-- Up Migration
-- A live row without a message in Redis: pending ones wait to be published, processing ones are their owner's
-- while that lives. The quiet reconciler reads only this index.
create index ix_task_without_message on tasks (task_id) where published_at is null and status in ('pending', 'processing');
-- Delayed tasks, by when they are due.
create index ix_task_delayed on tasks (not_before) where status = 'pending' and published_at is not null and message_id is null;
-- Counts an incarnation's beats: two equal counts are the same beat, whatever the clocks did in between.
alter table workers add column beats bigint not null default 0;
-- How full a priority is while Redis is away.
create index ix_task_unpublished_priority on tasks (priority) where published_at is null and status = 'pending';
drop index ix_task_unpublished;

-- Down Migration
create index ix_task_unpublished on tasks (created_at) where status = 'pending' and published_at is null;
drop index ix_task_unpublished_priority;
drop index ix_task_delayed;
alter table workers drop column beats;
drop index ix_task_without_message;
