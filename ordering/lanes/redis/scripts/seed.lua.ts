// Lua: tells a lane that has no memory what the ledger knows of it.

/**
 * ARGV[6] fence, [7] the transaction that holds the chat, or '', then marks, each as four: 'sequence' or
 * 'execution', priority, number, and the transaction that had a sequence number's turn, or ''
 *
 * Changes nothing where the lane has its memory. What claims have told stays where it is higher. After a restart of
 * Redis there may be turns that were given before it and never came to the ledger: the fences leave room for them.
 * Gives what `advance` gives.
 */
export const seedScript = `
if not redis.call('HGET', lane, 'seeded') then
	local fence = tonumber(ARGV[6]) + (generation[3] == '1' and 1000 or 0)
	redis.call('HSET', lane, 'seeded', '1', 'fence', text(math.max(fence, tonumber(redis.call('HGET', lane, 'fence')) or 0)))
	if ARGV[7] ~= '' then redis.call('HSET', lane, 'heldBy', ARGV[7]) end
	for i = 8, #ARGV, 4 do mark(ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3]) end
end
return advance()
`;
