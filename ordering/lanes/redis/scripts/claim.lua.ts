// Lua: a holder says that the lane is its own, after anything that may have made others think it is dead.

/**
 * ARGV[6] ticket, [7] fence, [8] the transaction that held the chat when the turn was given, or '', [9] the turn as
 * JSON, [10] the ticket's number, then marks as in `seed`
 *
 * The lane stays this ticket's unless somebody had a turn since. Where several claim it, as after the return of an old
 * snapshot, the highest fence wins, and this is known when the closure ends. Gives {'mine' | 'lost', ms until the
 * closure ends}.
 */
export const claimScript = `
touch()
local ticket, fence = ARGV[6], tonumber(ARGV[7])
local holder, known = unpack(redis.call('HMGET', lane, 'holder', 'fence'))
if holder ~= ticket then
	known = tonumber(known) or 0
	if known > fence or (holder and (closedMs == 0 or known == fence)) then return {'lost', closedMs} end
	redis.call('HSET', lane, 'seeded', '1', 'fence', ARGV[7], 'holder', ticket, 'turn', ARGV[9])
	redis.call('HSET', lane, 'taken', text(math.max(tonumber(ARGV[10]), tonumber(redis.call('HGET', lane, 'taken')) or 0)))
	if ARGV[8] ~= '' then redis.call('HSET', lane, 'heldBy', ARGV[8]) end
	for i = 11, #ARGV, 4 do mark(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]) end
	touch()
end
return {'mine', closedMs}
`;
