-- Up Migration
-- A stored strategy: what `name` is called, in versions. `strategy` is what it is made of (a built-in's name, or the name in
-- the source of `source_hash`); null: the same as `name`. Rows that were numbered by hand are numbered anew, in order.
alter table strategies add column strategy text;
update strategies s set version = n.version
from (select strategy_id, row_number() over (partition by name order by version, strategy_id) as version from strategies) n
where n.strategy_id = s.strategy_id and n.version <> s.version;
create unique index ux_strategy_version on strategies (name, version);

-- Down Migration
drop index ux_strategy_version;
alter table strategies drop column strategy;
