// Lua: ends the hold of a chat by a transaction.

/**
 * ARGV[6] transaction
 *
 * A lane without memory keeps this in mind, in case somebody has just read the hold in the ledger. Gives what `advance`
 * gives.
 */
export const unholdScript = `
local heldBy, seeded = unpack(redis.call('HMGET', lane, 'heldBy', 'seeded'))
if heldBy == ARGV[6] then redis.call('HDEL', lane, 'heldBy')
elseif not seeded then redis.call('HSET', lane, 'unheld:' .. ARGV[6], '1') end
return advance()
`;
