import { CLOCK, OWNER } from './clock.js'

/** One entry as the reply carries it: stream number, id, the consumer it was taken from ('' for none), task id, task type, body. */
export const ENTRY = `
local function entry_reply(n, entry, taken_from)
  local id, kind, body = '', '', false
  local fields = entry[2]
  for i = 1, #fields, 2 do
    if fields[i] == 'task_id' then id = fields[i + 1]
    elseif fields[i] == 'task_type' then kind = fields[i + 1]
    elseif fields[i] == 'body' then body = fields[i + 1] end
  end
  return {n, entry[1], taken_from, id, kind, body}
end
`

/**
 * Takes at most the free slots; takeovers of lapsed leases before new entries. Without weights HIGH, then MEDIUM,
 * then LOW. With weights each entry goes to the stream that would stand lowest after it (position + 1 / weight),
 * among those that have room and entries; what such a plan leaves open is filled in strict order.
 * KEYS 1-3 streams by priority, 4 delayed set.
 * ARGV 1 group, 2 consumer, 3-5 free slots by priority, 6 most entries in all, 7 most delayed entries to promote,
 *      8-13 weight and position by priority (weight 0: strict),
 *      then per takeover: stream number, id, owner seen, delivery time seen (ms).
 * Returns {entries, last generated ids, ms until the next delayed entry or -1, groups created, ghosts,
 *      entries that waited by priority (counted only with weights)}.
 * Creates a missing stream or group at id 0, so a flush never makes a worker spin on NOGROUP.
 * A ghost is a lapsed lease whose entry somebody deleted: it is acked here, and its {stream number, id} returned.
 * An entry that a session took by name lies ahead of the group's pointer; XREADGROUP would silently move it to
 * this consumer, so it is given back at once, with its idle time, inside this script.
 */
export const PICK = `${CLOCK}${OWNER}${ENTRY}
local group, consumer = ARGV[1], ARGV[2]
local now = now_ms()
local out, last, ghosts, created = {}, {}, {}, 0
local total = tonumber(ARGV[6])
local weighted = tonumber(ARGV[8]) > 0
local room, pointers, waiting, tried = {}, {}, {0, 0, 0}, {}

local due = redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', now, 'LIMIT', 0, tonumber(ARGV[7]))
for _, member in ipairs(due) do
  local n, kind, id = string.match(member, '^(%d):([^:]*):(.*)$')
  if n then redis.call('XADD', KEYS[tonumber(n)], '*', 'task_id', id, 'task_type', kind) end
  redis.call('ZREM', KEYS[4], member)
end

for n = 1, 3 do
  room[n] = tonumber(ARGV[2 + n])
  local groups = redis.pcall('XINFO', 'GROUPS', KEYS[n])
  if not groups.err then
    for _, g in ipairs(groups) do
      local name, delivered = nil, nil
      for i = 1, #g, 2 do
        if g[i] == 'name' then name = g[i + 1] elseif g[i] == 'last-delivered-id' then delivered = g[i + 1] end
      end
      if name == group then pointers[n] = delivered end
    end
  end
  if not pointers[n] then
    redis.call('XGROUP', 'CREATE', KEYS[n], group, '0', 'MKSTREAM')
    pointers[n] = '0-0'
    created = created + 1
  end
end

local function take(n, most)
  local key, free = KEYS[n], math.min(most, room[n], total - #out)
  local before_take = #out
  for i = 14, #ARGV, 4 do
    if free > 0 and tonumber(ARGV[i]) == n and not tried[i] then
      tried[i] = true
      local owner, idle = owner_of(key, group, ARGV[i + 1])
      if owner == ARGV[i + 2] and math.abs((now - idle) - tonumber(ARGV[i + 3])) <= 5 then
        local claimed = redis.call('XCLAIM', key, group, consumer, 0, ARGV[i + 1])
        if claimed[1] and claimed[1][2] then
          out[#out + 1] = entry_reply(n, claimed[1], owner)
          free = free - 1
        else
          redis.call('XACK', key, group, ARGV[i + 1])
          ghosts[#ghosts + 1] = {n, ARGV[i + 1]}
        end
      end
    end
  end

  if free > 0 then
    local ahead = {}
    for _, p in ipairs(redis.call('XPENDING', key, group, '(' .. pointers[n], '+', 1000)) do
      ahead[p[1]] = {p[2], p[3]}
    end
    local got = redis.call('XREADGROUP', 'GROUP', group, consumer, 'COUNT', free, 'STREAMS', key, '>')
    if got and got[1] then
      for _, entry in ipairs(got[1][2]) do
        local before = ahead[entry[1]]
        if before then
          redis.call('XCLAIM', key, group, before[1], 0, entry[1], 'IDLE', before[2], 'JUSTID')
        elseif entry[2] then
          out[#out + 1] = entry_reply(n, entry, '')
        end
        pointers[n] = entry[1]
      end
    end
  end
  room[n] = room[n] - (#out - before_take)
end

if weighted then
  for n = 1, 3 do
    -- Every entry is pending or undelivered: settled ones are deleted.
    waiting[n] = math.max(0, redis.call('XLEN', KEYS[n]) - redis.call('XPENDING', KEYS[n], group)[1])
  end
  for i = 14, #ARGV, 4 do
    local n = tonumber(ARGV[i])
    waiting[n] = waiting[n] + 1
  end
  local plan = {0, 0, 0}
  for _ = 1, total do
    local best, lowest = nil, nil
    for n = 1, 3 do
      if plan[n] < math.min(room[n], waiting[n]) then
        local after = tonumber(ARGV[7 + 2 * n]) + (plan[n] + 1) / tonumber(ARGV[6 + 2 * n])
        if not lowest or after < lowest then best, lowest = n, after end
      end
    end
    if not best then break end
    plan[best] = plan[best] + 1
  end
  for n = 1, 3 do
    if plan[n] > 0 then take(n, plan[n]) end
  end
end
for n = 1, 3 do
  if #out < total then take(n, total) end
end

for n = 1, 3 do
  local info = redis.call('XINFO', 'STREAM', KEYS[n])
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then last[n] = info[i + 1] end
  end
end

local next_due = -1
local first = redis.call('ZRANGE', KEYS[4], 0, 0, 'WITHSCORES')
if first[2] then next_due = math.max(0, math.floor(tonumber(first[2]) - now)) end
return {out, last, next_due, created, ghosts, waiting}
`

/**
 * Takes one entry by name, ahead of the queue: what an in-process session does with its own task.
 * KEYS 1 stream. ARGV 1 group, 2 consumer, 3 stream number, 4 id, then consumers known to be dead.
 * Returns the entry, or false when it does not exist or a living consumer owns it.
 */
export const TAKE = `${OWNER}${ENTRY}
local key, group, consumer, n, id = KEYS[1], ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
pcall(redis.call, 'XGROUP', 'CREATE', key, group, '0', 'MKSTREAM')
local entry = redis.call('XRANGE', key, id, id)[1]
if not entry then return false end
local owner = owner_of(key, group, id)
if not owner then
  redis.call('XCLAIM', key, group, consumer, 0, id, 'FORCE', 'JUSTID')
  return entry_reply(n, entry, '')
end
for i = 5, #ARGV do
  if ARGV[i] == owner then
    redis.call('XCLAIM', key, group, consumer, 0, id, 'JUSTID')
    return entry_reply(n, entry, owner)
  end
end
return false
`
