/**
 * The one time function of all scripts: Redis's clock in milliseconds. Lease age is measured by it alone, never
 * by a worker's clock, and never compared with Postgres's.
 */
export const CLOCK = `
local function now_ms()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
end
`

/** Owner and idle milliseconds of one pending entry, or nil. */
export const OWNER = `
local function owner_of(stream, group, id)
  local found = redis.pcall('XPENDING', stream, group, id, id, 1)
  if found.err or #found == 0 then return nil end
  return found[1][2], found[1][3]
end
`
