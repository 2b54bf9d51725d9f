-- Up Migration
-- A live row without a message in Redis: pending ones wait to be published, processing ones are their owner's
-- while that lives. The quiet reconciler reads only this index.
create index ix_task_without_message on tasks (task_id) where published_at is null and status in ('pending', 'processing');
-- How full a priority is while Redis is away.
create index ix_task_unpublished_priority on tasks (priority) where published_at is null and status = 'pending';
drop index ix_task_unpublished;

-- Down Migration
create index ix_task_unpublished on tasks (created_at) where status = 'pending' and published_at is null;
drop index ix_task_unpublished_priority;
drop index ix_task_without_message;
