// Lua: which processes live.

/**
 * KEYS[1] generation
 *
 * ARGV[1] prefix, [2] run, [3] graceMs, [4] idleMs, [5 …] owners
 *
 * Gives 'generation' where Redis was started again. Else for each owner -1 where it lives, 0 where it is dead, else the
 * ms until that is known; behind them the ms until the closure ends, since until then nobody can be told dead.
 */
export const aliveScript = `
local prefix, run = ARGV[1], ARGV[2]
local generation = redis.call('HMGET', KEYS[1], 'run', 'closedUntil')
if generation[1] ~= run then return 'generation' end
local time = redis.call('TIME')
local now = math.floor(time[1] * 1000 + time[2] / 1000)
local answer = {}
for i = 5, #ARGV do
	if redis.call('EXISTS', prefix .. ':' .. run .. ':process:' .. ARGV[i]) == 1 then answer[#answer + 1] = -1
	else
		local mark = prefix .. ':' .. run .. ':dead:' .. ARGV[i]
		redis.call('SET', mark, now, 'PX', ARGV[4], 'NX')
		answer[#answer + 1] = math.max(0, redis.call('GET', mark) + ARGV[3] - now)
	end
end
answer[#answer + 1] = math.max(0, math.ceil(generation[2] - now))
return answer
`;
