/**
 * Does what the other scripts do to keys of its own, so that a server which answers PING but takes no writes, has no room,
 * or lets its user do less than is needed says so here. KEYS 1-3 streams, 4 delayed set, 5 dead letters, 6 feed, 7 epoch,
 * 8 probe (a stream), 9 probe (a sorted set). ARGV 1 group. Returns 1, and leaves nothing behind.
 */
export const SERVING = `
for n = 1, 3 do redis.call('XLEN', KEYS[n]) end
redis.call('ZCARD', KEYS[4])
redis.call('EXISTS', KEYS[5], KEYS[6], KEYS[7])
local stream, set, group = KEYS[8], KEYS[9], ARGV[1]
-- First what takes memory: a script that has written something may go on without any left.
redis.call('XADD', stream, '*', 'f', 'v')
redis.call('DEL', stream, set)
redis.call('XGROUP', 'CREATE', stream, group, '0', 'MKSTREAM')
local id = redis.call('XADD', stream, '*', 'f', 'v')
redis.call('XREADGROUP', 'GROUP', group, 'probe', 'COUNT', 1, 'STREAMS', stream, '>')
redis.call('XPENDING', stream, group)
redis.call('XCLAIM', stream, group, 'probe', 0, id, 'JUSTID')
redis.call('XINFO', 'GROUPS', stream)
redis.call('XRANGE', stream, id, id)
redis.call('XACK', stream, group, id)
redis.call('XDEL', stream, id)
redis.call('ZADD', set, 1, 'm')
redis.call('ZRANGEBYSCORE', set, '-inf', 1, 'LIMIT', 0, 1)
redis.call('ZSCORE', set, 'm')
redis.call('ZREM', set, 'm')
redis.call('DEL', stream, set)
return 1
`
