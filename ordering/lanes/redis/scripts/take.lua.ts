// Lua: takes a place, or asks again what became of it. The same ticket twice is one place.

/**
 * ARGV[6] ticket, [7] '1' where somebody waits there now, [8] its age in microseconds, [9] priority, [10] sequence
 * number or '', [11] gap in ms, [12] '1' where it may go again, [13] execution or '', [14] transaction ID or '',
 * [15] its number in the lane where it had one, or ''
 *
 * Gives {'granted', turn as JSON}, {'refused', gone}, {'ended'} where it was given up before, or what `advance` gives
 * with the ticket's number behind it.
 */
export const takeScript = `
local ticket, ready = ARGV[6], ARGV[7]
if redis.call('EXISTS', prefix .. ':' .. run .. ':ended:' .. ticket) == 1 then return {'ended'} end

local function answer()
	local holder, turn = unpack(redis.call('HMGET', lane, 'holder', 'turn'))
	return holder == ticket and turn and {'granted', turn}
end

local turn = answer()
if turn then return turn end

local record = recordOf(ticket)
if not record then
	local takenAt = nowUs - ARGV[8]
	local number = tonumber(ARGV[15])
	if number then redis.call('HSET', lane, 'taken', text(math.max(number, tonumber(redis.call('HGET', lane, 'taken')) or 0)))
	else number = redis.call('HINCRBY', lane, 'taken', 1) end
	local sequence = ARGV[10] == '' and '1' .. padded(0) or '0' .. padded(ARGV[10])
	local execution = ARGV[13] == '' and '1' .. padded(0) or '0' .. padded(ARGV[13])
	record = {
		m = ranks[ARGV[9]] .. sequence .. execution .. padded(takenAt) .. ticket,
		t = text(takenAt), r = ready, p = ARGV[9], s = ARGV[10], g = ARGV[11], a = ARGV[12], e = ARGV[13], x = ARGV[14], n = text(number),
	}
	put(ticket, record)
elseif ready == '1' and record.r ~= '1' then
	record.r = '1'
	redis.call('HSET', tickets, ticket, cjson.encode(record))
end

local gone = goneBefore(record)
if gone then refuse(ticket, record, gone) end
local state = advance(ticket)
if refused[ticket] then return {'refused', text(refused[ticket])} end
return answer() or {state[1], state[2], record.n}
`;
