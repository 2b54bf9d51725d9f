/**
 * Tells which published tasks Redis has forgotten: the entry is not on its stream, or, for one that waits for its
 * time, not in the delayed set. Changes nothing. An id alone proves nothing: after a flush, or when the clock was set
 * back, another task's entry may have been given the same one.
 * KEYS 1-3 streams by priority, 4 delayed set.
 * ARGV per task: stream number, entry id ('' for a delayed one), task type, task id.
 * Returns per task 1 when it is missing, else 0.
 */
export const MISSING = `
local out = {}
for i = 1, #ARGV, 4 do
  local n, id = ARGV[i], ARGV[i + 1]
  local there
  if id == '' then
    there = redis.call('ZSCORE', KEYS[4], n .. ':' .. ARGV[i + 2] .. ':' .. ARGV[i + 3])
  else
    local entry = redis.call('XRANGE', KEYS[tonumber(n)], id, id)[1]
    if entry then
      for f = 1, #entry[2], 2 do
        if entry[2][f] == 'task_id' then there = entry[2][f + 1] == ARGV[i + 3] end
      end
    end
  end
  out[#out + 1] = there and 0 or 1
end
return out
`
