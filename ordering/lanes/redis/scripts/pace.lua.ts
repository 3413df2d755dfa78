// Lua: takes the next free time of what has to keep a gap.

/**
 * KEYS[1] pace: string, when the last one goes (microseconds of Redis' clock)
 *
 * ARGV[1] gapMs
 *
 * Gives in how many ms the next one may go, no sooner than gapMs after the one before. The key goes when its gap is over;
 * a Redis that has lost its memory lets the next one go at once.
 */
export const paceScript = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local gap = tonumber(ARGV[1]) * 1000
local before = tonumber(redis.call('GET', KEYS[1]))
local at = before and math.max(now, before + gap) or now
redis.call('SET', KEYS[1], string.format('%.0f', at), 'PX', math.ceil((at - now + gap) / 1000) + 1)
return math.ceil((at - now) / 1000)
`;
