// Lua: looks whether somebody may go now: when a time is over, or a holder may have died.

/**
 * ARGV[6] the asking process
 *
 * Gives what `advance` gives, and behind it the turn as JSON where a ticket of the asking process has it: its message
 * may have been lost.
 */
export const advanceScript = `
local state = advance()
local holder, turn = unpack(redis.call('HMGET', lane, 'holder', 'turn'))
if holder and turn and ownerOf(holder) == ARGV[6] then state[3] = turn end
return state
`;
