import { CLOCK } from './clock.js'

/**
 * Adds tasks to their streams, or to the delayed set when they are not due.
 * KEYS 1-3 streams by priority, 4 delayed set.
 * ARGV per task: stream number, task id, task type, body ('' for none), delay in ms.
 * Returns per task the entry id, or false for a delayed one. Not idempotent: a repeat adds a duplicate, which
 * the open in Postgres refuses.
 */
export const PUBLISH = `${CLOCK}
local out = {}
local now = nil
for i = 1, #ARGV, 5 do
  local n, id, kind, body, delay = tonumber(ARGV[i]), ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], tonumber(ARGV[i + 4])
  if delay > 0 then
    now = now or now_ms()
    redis.call('ZADD', KEYS[4], now + delay, n .. ':' .. kind .. ':' .. id)
    out[#out + 1] = false
  elseif body == '' then
    -- Published once more: what waits in the delayed set would only be a duplicate.
    redis.call('ZREM', KEYS[4], n .. ':' .. kind .. ':' .. id)
    out[#out + 1] = redis.call('XADD', KEYS[n], '*', 'task_id', id, 'task_type', kind)
  else
    out[#out + 1] = redis.call('XADD', KEYS[n], '*', 'task_id', id, 'task_type', kind, 'body', body)
  end
end
return out
`
