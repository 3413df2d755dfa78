// Lua: a process enters a generation: the time from one start of Redis to the next, in which its memory counts.

/**
 * KEYS[1] generation: hash {run, closedUntil, restarted}
 *
 * ARGV[1] run: Redis' own name of this start, [2] leaseMs, [3] for how many ms Redis has been up, or '' where it doesn't
 * tell, [4] '1' where the caller's earlier memory is not to be found here, [5] idleMs
 *
 * No turns are given until all that were given before must have lapsed: one lease after the change was seen, or after
 * Redis' start where it remembers nothing. `restarted`: that there were turns before this generation.
 * Gives the ms until then.
 */
export const enterScript = `
local time = redis.call('TIME')
local now = math.floor(time[1] * 1000 + time[2] / 1000)
local run, lost = ARGV[1], ARGV[4] == '1'
local known = redis.call('HGET', KEYS[1], 'run')
if known ~= run then
	local since = now
	if not known and not lost and ARGV[3] ~= '' then since = now - ARGV[3] end
	redis.call('HSET', KEYS[1], 'run', run, 'closedUntil', string.format('%.0f', since + ARGV[2]), 'restarted', (known or lost) and '1' or '0')
elseif lost then redis.call('HSET', KEYS[1], 'restarted', '1') end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return math.max(0, math.ceil(redis.call('HGET', KEYS[1], 'closedUntil') - now))
`;
