-- Up Migration
-- An operator may say that a failed undo is not to be done: the reason is in the history of the task.
alter table saga_steps drop constraint saga_steps_status_check;
alter table saga_steps add constraint saga_steps_status_check check (status in ('started', 'finished', 'failed', 'skipped'));
-- What an operator looks for: sagas that wait for one.
create index ix_saga_runs_parked on saga_runs (finished_at) where status = 'compensation_failed';

-- Down Migration
drop index ix_saga_runs_parked;
update saga_steps set status = 'failed' where status = 'skipped';
alter table saga_steps drop constraint saga_steps_status_check;
alter table saga_steps add constraint saga_steps_status_check check (status in ('started', 'finished', 'failed'));
