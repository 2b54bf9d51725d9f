import { CLOCK, OWNER } from './clock.js'

/**
 * Renews leases: resets the idle time of entries that the caller still owns.
 * KEYS 1-3 streams. ARGV 1 group, 2 consumer, then per entry: stream number, id.
 * Returns per entry 1 renewed, 0 no such pending entry (Redis forgot it), -1 another owner.
 * JUSTID leaves the delivery count alone, and XCLAIM alone would not check the owner.
 */
export const RENEW = `${OWNER}
local out = {}
for i = 3, #ARGV, 2 do
  local key, id = KEYS[tonumber(ARGV[i])], ARGV[i + 1]
  local owner = owner_of(key, ARGV[1], id)
  if not owner then out[#out + 1] = 0
  elseif owner ~= ARGV[2] then out[#out + 1] = -1
  else
    redis.call('XCLAIM', key, ARGV[1], ARGV[2], 0, id, 'JUSTID')
    out[#out + 1] = 1
  end
end
return out
`

/**
 * Lists pending entries idle for at least so long, with their delivery time by Redis's clock.
 * KEYS 1-3 streams. ARGV 1 group, 2 idle ms, 3 most entries per stream.
 * Returns per entry {stream number, id, consumer, delivered at (ms)}. Changes nothing.
 */
export const PENDING = `${CLOCK}
local out = {}
local now = now_ms()
for n = 1, 3 do
  local found = redis.pcall('XPENDING', KEYS[n], ARGV[1], 'IDLE', ARGV[2], '-', '+', ARGV[3])
  if not found.err then
    for _, p in ipairs(found) do out[#out + 1] = {n, p[1], p[2], now - p[3]} end
  end
end
return out
`

/**
 * Removes consumers that own nothing, are not in the list of the living and were idle for so long. Deleting a
 * consumer with pending entries would make them unclaimable, hence the check in the same script.
 * KEYS 1-3 streams. ARGV 1 group, 2 idle ms, then the living. Returns the names removed.
 */
export const SWEEP_CONSUMERS = `
local alive = {}
for i = 3, #ARGV do alive[ARGV[i]] = true end
local out = {}
for n = 1, 3 do
  local consumers = redis.pcall('XINFO', 'CONSUMERS', KEYS[n], ARGV[1])
  if not consumers.err then
    for _, c in ipairs(consumers) do
      local f = {}
      for i = 1, #c, 2 do f[c[i]] = c[i + 1] end
      if f['pending'] == 0 and not alive[f['name']] and f['idle'] >= tonumber(ARGV[2]) then
        redis.call('XGROUP', 'DELCONSUMER', KEYS[n], ARGV[1], f['name'])
        out[#out + 1] = f['name']
      end
    end
  end
end
return out
`
