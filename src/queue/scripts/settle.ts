import { CLOCK, OWNER } from './clock.js'

/**
 * Takes finished entries off their streams: ack and delete together (XACK alone leaves the entry for ever).
 * KEYS 1-3 streams, 4 delayed set, 5 dead letters.
 * ARGV 1 group, 2 consumer, then per entry six: stream number, id, kind, a, b, c where
 *   kind 'done'; kind 'delay' with a = member id, b = task type, c = delay ms; kind 'dead_letter' with
 *   a = task id, b = task type, c = JSON array of the letter's fields and values.
 *   A delay of 0 puts the task back on its stream at once: only an added entry rings the doorbells.
 * Returns per entry 1, or 0 when another consumer owns it; then nothing was changed for it.
 * An entry that Redis forgot counts as taken off: its truth is in Postgres, the projection is still written.
 */
export const SETTLE = `${CLOCK}${OWNER}
local out = {}
for i = 3, #ARGV, 6 do
  local n, id, kind = tonumber(ARGV[i]), ARGV[i + 1], ARGV[i + 2]
  local key = KEYS[n]
  local owner = owner_of(key, ARGV[1], id)
  if owner and owner ~= ARGV[2] then
    out[#out + 1] = 0
  else
    if owner then redis.call('XACK', key, ARGV[1], id) end
    redis.call('XDEL', key, id)
    if kind == 'delay' and tonumber(ARGV[i + 5]) <= 0 then
      redis.call('XADD', key, '*', 'task_id', ARGV[i + 3], 'task_type', ARGV[i + 4])
    elseif kind == 'delay' then
      redis.call('ZADD', KEYS[4], now_ms() + tonumber(ARGV[i + 5]), n .. ':' .. ARGV[i + 4] .. ':' .. ARGV[i + 3])
    elseif kind == 'dead_letter' then
      redis.call('XADD', KEYS[5], '*', unpack(cjson.decode(ARGV[i + 5])))
    end
    out[#out + 1] = 1
  end
end
return out
`
