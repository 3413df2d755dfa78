// Lua: renews the lease of a process, for all lanes that it has.

/**
 * KEYS[1] generation, KEYS[2] the process' key, KEYS[3] its mark as dead
 *
 * ARGV[1] run, [2] life: the caller's count of its leases, [3] leaseMs, [4] idleMs
 *
 * Gives 'generation' where Redis was started again; else the life that goes on, or a new one where the lease had ended.
 */
export const renewScript = `
if redis.call('HGET', KEYS[1], 'run') ~= ARGV[1] then return 'generation' end
local life = redis.call('GET', KEYS[2]) or string.format('%.0f', ARGV[2] + 1)
redis.call('SET', KEYS[2], life, 'PX', ARGV[3])
redis.call('DEL', KEYS[3])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return life
`;
