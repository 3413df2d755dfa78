// The buffer's queries, written once in SQL that PostgreSQL and SQLite both read: each is a single statement.
//
// A turn is `collecting` (at most one a chat), then `running`: its messages were handed out. One that is put back, since
// its process died, is `returning` meanwhile. A message belongs to no turn while it waits, and to its turn from the
// taking on; it is over once that turn is gone. `holds` = 1: the chat's next item waits until this turn is over.

/** As in ordering/ledger/queries.ts; $1 to $3 are server, instance and recipient wherever a chat is asked for. */
export function bufferQueriesFor(prefix: string) {
	const messages = `${prefix}buffer_messages`;
	const turns = `${prefix}buffer_turns`;
	const ofChat = 'server = $1 and instance = $2 and recipient = $3';
	const waiting = `${ofChat} and turn is null`;
	const turnOf = (message: string) => `select 1 from ${turns} t where t.server = ${message}.server and t.instance = ${message}.instance and t.recipient = ${message}.recipient`;

	return {
		// the conflict changes nothing, but it returns the row that is there
		add: `insert into ${messages} (server, instance, recipient, message_id, added_by, media, bytes, received_at, body)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			on conflict (server, instance, recipient, message_id) do update set added_by = ${messages}.added_by returning position, added_by, turn`,
		collecting: `select id, owner, phase from ${turns} where ${ofChat} and phase = 'collecting'`,
		/** Gives the turn that collects for the chat: $4, unless there is one already. */
		claim: `insert into ${turns} (server, instance, recipient, id, owner, begun_at, phase, holds) values ($1, $2, $3, $4, $5, $6, 'collecting', 0)
			on conflict (server, instance, recipient) where phase = 'collecting' do update set owner = ${turns}.owner returning id, owner`,
		/** What waits in the chat, whether turn $4 still collects for it, and the turn that holds it. */
		look: `select w.many, w.bytes, w.media, w.newest, (select count(*) from ${turns} where id = $4 and phase = 'collecting') as mine, h.id, h.owner, h.phase
			from (select count(*) as many, cast(coalesce(sum(bytes), 0) as bigint) as bytes, max(media) as media, max(position) as newest from ${messages} where ${waiting}) w
			left join (select id, owner, phase from ${turns} where ${ofChat} and phase <> 'collecting' and holds = 1 order by begun_at limit 1) h on 1 = 1`,
		/** $5 is what `holds` becomes. Says the same when it runs twice. */
		begin: `update ${turns} set phase = 'running', holds = cast($5 as integer), begun_at = $6 where id = $4 and phase in ('collecting', 'running')
			and (cast($5 as integer) = 0 or not exists (select 1 from ${turns} o where o.server = $1 and o.instance = $2 and o.recipient = $3 and o.id <> $4 and o.phase <> 'collecting' and o.holds = 1)) returning id`,
		/** Takes all that waits, at one instant: of two turns that take, each message is one's alone. */
		take: `update ${messages} set turn = $4 where ${waiting} and exists (select 1 from ${turns} t where t.id = $4 and t.phase = 'running') returning position`,
		taken: `select redelivered, body from ${messages} where turn = $1 order by position`,
		end: `delete from ${turns} where id = $1 and phase = 'running' returning server, instance, recipient`,
		letGo: `update ${turns} set holds = 0 where id = $1 and phase = 'running' returning id`,
		/** What is over keeps its ID, by which it is known when it comes again. */
		forget: `update ${messages} set body = '' where turn = $1 and not exists (select 1 from ${turns} t where t.id = $1)`,
		dropClaim: `delete from ${turns} where id = $1 and owner = $2 and phase = 'collecting' returning id`,
		// three steps, since a turn must not end while its messages go back: $2 its owner, $3 who puts them back
		acquire: `update ${turns} set owner = $3, phase = 'returning' where id = $1 and owner in ($2, $3) and phase <> 'collecting' returning server, instance, recipient`,
		putBack: `update ${messages} set turn = null, redelivered = case when cast($3 as integer) = 1 then 1 else redelivered end
			where turn = $1 and exists (select 1 from ${turns} t where t.id = $1 and t.owner = $2 and t.phase = 'returning') returning position`,
		dropReturned: `delete from ${turns} where id = $1 and owner = $2 and phase = 'returning' returning id`,
		turns: `select id, owner, phase from ${turns}`,
		/** Chats in which messages wait since $1 and nobody collects them. */
		left: `select server, instance, recipient from ${messages} m where turn is null and received_at <= $1
			and not exists (${turnOf('m')} and (t.phase = 'collecting' or t.holds = 1)) group by server, instance, recipient order by min(position) limit $2`,
		prune: `delete from ${messages} where position in (select position from ${messages} m where received_at < $1 and turn is not null
			and not exists (select 1 from ${turns} t where t.id = m.turn) order by received_at limit $2) returning position`,
	};
}
