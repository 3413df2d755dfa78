// Lua: ends a turn or gives a place up, and gives the turn to the next one at once.

/**
 * ARGV[6] ticket, [7] 'release' or 'leave', [8] the transaction that holds the chat from now on, or '', [9] the
 * ticket's own transaction, or ''
 *
 * Gives what `advance` gives, and behind it what was in the ticket's way: [3] how many stood before it, [4] the
 * transaction that holds the chat, or '', [5] the highest sequence number that has gone in its priority, or ''. All
 * that is 0 and '' for a ticket that had its turn, or that is not known.
 */
export const endScript = `
local ticket = ARGV[6]
local holder, heldBy = unpack(redis.call('HMGET', lane, 'holder', 'heldBy'))
local record = recordOf(ticket)
local ahead, inTheWay, gone = 0, '', ''
if holder == ticket then
	redis.call('HDEL', lane, 'holder', 'turn')
	if ARGV[7] == 'release' then
		if ARGV[8] ~= '' then redis.call('HSET', lane, 'heldBy', ARGV[8])
		elseif heldBy == ARGV[9] then redis.call('HDEL', lane, 'heldBy') end
	end
elseif record then
	ahead = redis.call('ZRANK', queue, record.m) + (holder and 1 or 0)
	inTheWay = heldBy or ''
	gone = redis.call('HGET', lane, 'sequence:' .. record.p) or ''
	drop(ticket, record)
else
	-- its taking may still be on its way, on a connection that broke
	redis.call('SET', prefix .. ':' .. run .. ':ended:' .. ticket, '', 'PX', idleMs)
end
local state = advance()
return {state[1], state[2], ahead, inTheWay, gone}
`;
