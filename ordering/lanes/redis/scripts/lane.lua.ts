// Lua: what all scripts of one lane share. It stands before each of them; see docs/redis-lanes.md for the keys.

/**
 * KEYS[1] lane: hash {seeded, taken, fence, holder, turn, heldBy, sequence:<priority>,
 * sequenceBy:<priority>, execution:<priority>}
 * KEYS[2] queue: sorted set of those that wait, all with score 0: 51 characters of order, then the ticket
 * KEYS[3] tickets: hash from ticket to its record as JSON
 * KEYS[4] transactions: sorted set of those in the queue that have a transaction, all with score 0: the transaction's
 * SHA-1, then the ticket's member of the queue
 *
 * ARGV[1] prefix of all keys
 * ARGV[2] run: the generation that the caller believes in
 * ARGV[3] settleMs
 * ARGV[4] graceMs: for how long a process has to be seen without its key before it counts as dead
 * ARGV[5] idleMs: after how long without use a key goes
 *
 * A ticket is `<owner>/<number>`. Its record: m its member of the queue, t taken at (microseconds of Redis' clock),
 * r whether somebody waits there, p priority, s sequence number or '', g gap in ms, a '1' where it may go again,
 * e execution or '', x transaction ID or '', n its number in the lane. Numbers are kept as text, since cjson would
 * round those with more than 14 digits.
 *
 * `advance` gives {state, waitMs}: 'turn' (somebody has it), 'closed' (no turns in this generation yet), 'unseeded'
 * (nobody may go before `seed`), 'waiting' (for settling, a gap or a process that may be dead), 'held', 'free'.
 * waitMs: when to ask again; -1 where a message will tell.
 */
export const laneScript = `
local lane, queue, tickets, transactions = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local prefix, run = ARGV[1], ARGV[2]
local settleMs, graceMs, idleMs = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])

local generation = redis.call('HMGET', prefix .. ':generation', 'run', 'closedUntil', 'restarted')
if generation[1] ~= run then return {'generation'} end

local time = redis.call('TIME')
local nowUs = time[1] * 1000000 + time[2]
local now = nowUs / 1000
local closedMs = math.max(0, math.ceil(tonumber(generation[2]) - now))
local ranks = {high = '0', normal = '1', low = '2'}
local refused = {}

local function text(number) return string.format('%.0f', number) end
local function padded(number) return string.format('%016.0f', number) end
local function ownerOf(ticket) return string.match(ticket, '^[^/]+') end
local function ticketOf(member) return string.sub(member, 52) end

local function touch()
	redis.call('PEXPIRE', lane, idleMs)
	redis.call('PEXPIRE', queue, idleMs)
	redis.call('PEXPIRE', tickets, idleMs)
	redis.call('PEXPIRE', transactions, idleMs)
end

-- The life of a process, or false and in how many ms it counts as dead. Not at first sight: after an outage all keys
-- have lapsed at once, and those that live get the time to come back.
local function lifeOf(owner)
	local life = redis.call('GET', prefix .. ':' .. run .. ':process:' .. owner)
	if life then return life end
	local mark = prefix .. ':' .. run .. ':dead:' .. owner
	local since = redis.call('GET', mark)
	if not since then
		redis.call('SET', mark, text(now), 'PX', idleMs)
		since = now
	end
	return false, math.max(0, math.ceil(since + graceMs - now))
end

local function recordOf(ticket)
	local record = redis.call('HGET', tickets, ticket)
	return record and cjson.decode(record)
end

local function put(ticket, record)
	redis.call('ZADD', queue, 0, record.m)
	redis.call('HSET', tickets, ticket, cjson.encode(record))
	if record.x ~= '' then redis.call('ZADD', transactions, 0, redis.sha1hex(record.x) .. record.m) end
end

local function drop(ticket, record)
	redis.call('ZREM', queue, record.m)
	redis.call('HDEL', tickets, ticket)
	if record.x ~= '' then redis.call('ZREM', transactions, redis.sha1hex(record.x) .. record.m) end
end

local function refuse(ticket, record, gone)
	drop(ticket, record)
	refused[ticket] = gone
	redis.call('PUBLISH', prefix .. ':turns:' .. ownerOf(ticket), cjson.encode({run = run, ticket = ticket, gone = text(gone)}))
end

-- The number that has gone and leaves no turn for this ticket, or false.
local function goneBefore(record)
	if record.s == '' then return false end
	local gone, by = unpack(redis.call('HMGET', lane, 'sequence:' .. record.p, 'sequenceBy:' .. record.p))
	gone = tonumber(gone)
	local number = tonumber(record.s)
	return gone and (number < gone or (number == gone and record.a ~= '1' and record.x ~= by)) and gone
end

-- In how many ms the first ticket may go, and the first sequence number that it passes.
local function mayGoIn(record, isHolding)
	local waited = now - record.t / 1000
	if record.s == '' then return isHolding and 0 or settleMs - waited end
	local gone = tonumber(redis.call('HGET', lane, 'sequence:' .. record.p))
	local from = (gone or 0) + 1
	if tonumber(record.s) <= from then return 0 end
	return record.g - waited, gone and from
end

-- Those with a number that can't go any more, now that the mark has grown.
local function refuseUpTo(priority, number)
	local class = ranks[priority] .. '0'
	for _, member in ipairs(redis.call('ZRANGEBYLEX', queue, '[' .. class, '(' .. class .. padded(number + 1))) do
		local ticket = ticketOf(member)
		local record = recordOf(ticket)
		local gone = goneBefore(record)
		if gone then refuse(ticket, record, gone) end
	end
end

-- Gives whether a higher number was there. by: the transaction of a sequence number, or ''.
local function mark(kind, priority, number, by)
	local field = kind .. ':' .. priority
	local before = tonumber(redis.call('HGET', lane, field)) or 0
	if tonumber(number) < before then return true end
	if tonumber(number) > before then
		redis.call('HSET', lane, field, number)
		redis.call('HDEL', lane, kind .. 'By:' .. priority)
	end
	if by ~= '' then redis.call('HSETNX', lane, kind .. 'By:' .. priority, by) end
	return false
end

local function marksOf(kind)
	local high, normal, low = unpack(redis.call('HMGET', lane, kind .. ':high', kind .. ':normal', kind .. ':low'))
	return {high = high or nil, normal = normal or nil, low = low or nil}
end

local function grant(ticket, record, life, from, asker)
	local late = false
	if record.s ~= '' then mark('sequence', record.p, record.s, record.x)
	elseif record.e ~= '' then late = mark('execution', record.p, record.e, '') end
	local turn = cjson.encode({
		run = run, lane = lane, ticket = ticket, life = life, number = record.n, late = late,
		fence = text(redis.call('HINCRBY', lane, 'fence', 1)),
		missing = from and {text(from), text(record.s - 1)} or nil,
		sequences = marksOf('sequence'), sequenceBy = marksOf('sequenceBy'), executions = marksOf('execution'),
		heldBy = redis.call('HGET', lane, 'heldBy') or nil,
	})
	drop(ticket, record)
	redis.call('HSET', lane, 'holder', ticket, 'turn', turn)
	if ticket ~= asker then redis.call('PUBLISH', prefix .. ':turns:' .. ownerOf(ticket), turn) end
	if record.s ~= '' then refuseUpTo(record.p, tonumber(record.s)) end
end

local function firstOf(transaction)
	if not transaction then
		local member = redis.call('ZRANGE', queue, 0, 0)[1]
		return member and ticketOf(member)
	end
	local hash = redis.sha1hex(transaction)
	local member = redis.call('ZRANGEBYLEX', transactions, '[' .. hash, '(' .. hash .. '~', 'LIMIT', 0, 1)[1]
	return member and ticketOf(string.sub(member, #hash + 1))
end

-- Gives the turn to the next one where that may be now. The asker is answered instead of sent a message.
local function advance(asker)
	touch()
	if closedMs > 0 then return {'closed', closedMs} end
	local holder, seeded, heldBy = unpack(redis.call('HMGET', lane, 'holder', 'seeded', 'heldBy'))
	if holder then
		local life, deadIn = lifeOf(ownerOf(holder))
		if life then return {'turn', -1} end
		if deadIn > 0 then return {'turn', deadIn} end
		-- it may have died between its last record and its release: whether the chat is held, the ledger knows
		redis.call('HDEL', lane, 'holder', 'turn', 'seeded', 'heldBy')
		seeded, heldBy = false, false
	end
	while true do
		local ticket = firstOf(heldBy)
		if not ticket then return {heldBy and 'held' or 'free', -1} end
		if not seeded then return {'unseeded', -1} end
		local record = recordOf(ticket)
		local life, deadIn = lifeOf(ownerOf(ticket))
		local gone = goneBefore(record)
		if not life and deadIn > 0 then return {'waiting', deadIn} end
		if not life then drop(ticket, record)
		elseif gone then refuse(ticket, record, gone)
		elseif record.r ~= '1' then return {'waiting', -1}
		else
			local waitMs, from = mayGoIn(record, heldBy)
			if waitMs > 0 then return {'waiting', math.ceil(waitMs)} end
			grant(ticket, record, life, from, asker)
			return {'turn', -1}
		end
	end
end
`;
