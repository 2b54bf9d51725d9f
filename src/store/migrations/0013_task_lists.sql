-- Up Migration
-- Lists of tasks, newest first: without it a list without a filter reads and sorts the whole table. On a table that is in
-- use src/store/online-indexes.ts has built it before this runs; here it would hold up every write meanwhile.
do $$ begin
  if to_regclass('ix_task_created') is null then
    create index ix_task_created on tasks (created_at);
  end if;
end $$;

-- Down Migration
drop index ix_task_created;
