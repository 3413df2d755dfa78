// The ledger's queries, written once in SQL that PostgreSQL and SQLite both read: each is a single statement.

/**
 * Statements with `$1`, `$2` and so on for their values; `prefix` goes before the name of each table. "cross join" keeps
 * SQLite from looking at the larger table first.
 */
export function queriesFor(prefix: string) {
	const transactions = `${prefix}transactions`;
	const messages = `${prefix}messages`;
	const links = `${prefix}chat_links`;
	const facts = `${prefix}facts`;

	/** All names of the chat with server $1, instance $2 and recipient $3: its own, and those linked to it over however many links. */
	const names = `with recursive names(name) as (
		select cast($3 as text)
		union select l.jid from names cross join ${links} l where l.server = $1 and l.instance = $2 and l.recipient = names.name
	)`;
	/** Where a name leads: server $1, instance $2, name $3. */
	const path = `with recursive path(name) as (
		select cast($3 as text)
		union select l.recipient from path cross join ${links} l where l.server = $1 and l.instance = $2 and l.jid = path.name
	)`;
	const ofName = 't.server = $1 and t.instance = $2 and t.recipient = names.name';
	const highestFenceOfName = `(select max(t.fence) from ${transactions} t where ${ofName})`;
	const update = `update ${transactions} set recipient = $3, status = $5, fence = $6, unsettled_until = $7, unfinished = $8, holds = $9,
		message_ids = $10, ended_at = $11, body = $12 where server = $1 and instance = $2 and id = $4 and fence <= $6`;
	const age = 'coalesce(ended_at, created_at)';
	/** Of a text of statuses such as `,open,failed,`: a list can't be a value in both databases. */
	const hasStatus = (statuses: string) => `cast(${statuses} as text) like '%,' || status || ',%'`;
	const isOfInstance = (instance: string) => `(cast(${instance} as text) = '' or instance = ${instance})`;

	return {
		// the conflict changes nothing, but it returns the row that is there, even one that was recorded just now
		open: `insert into ${transactions} (server, instance, recipient, id, status, fence, unsettled_until, unfinished, holds, message_ids, ended_at, body, origin, created_at, opened_by)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
			on conflict (server, id) do update set opened_by = ${transactions}.opened_by returning body, opened_by`,
		save: `${update} returning id`,
		// by the name of its own lane only: another name's lane counts for itself until the two are one
		saveIntent: `${update} and not exists (select 1 from ${transactions} t where t.server = $1 and t.instance = $2 and t.recipient = $3 and t.fence > $6) returning id`,
		find: `select body from ${transactions} where server = $1 and id = $2`,
		findByOrigin: `select body from ${transactions} where server = $1 and origin = $2 order by created_at desc, rowid desc limit 1`,
		/** Of each name, those with the highest fence (what was settled in a turn has the fence of that turn), and one that holds. */
		laneOf: `${names}, tops(name, fence) as (select name, ${highestFenceOfName} from names),
			held(id) as (select (select t.id from ${transactions} t where ${ofName} and t.holds = 1 order by t.created_at, t.rowid limit 1) from names)
			select t.body from tops cross join ${transactions} t where t.server = $1 and t.instance = $2 and t.recipient = tops.name and t.fence = tops.fence and t.fence > 0
			union all select t.body from held cross join ${transactions} t where t.server = $1 and t.id = held.id`,
		unsettled: `${names} select t.body from names cross join ${transactions} t where ${ofName} and t.unsettled_until > $4 and t.id <> $5 order by t.created_at, t.rowid`,
		unfinished: `select body from ${transactions} where server = $1 and unfinished = 1 and created_at < $2 and (created_at, id) > ($3, $4) order by created_at, id limit $5`,
		turnsOf: `select body from ${transactions} where server = $1 and instance = $2 and recipient = $3 and fence > 0 and fence < $4 order by fence desc limit $5`,
		// what is listed is read in pages: $2 is the bound that stays, $3 and $4 the place of the last one before
		listNewest: `select body from ${transactions} where server = $1 and created_at >= $2 and (created_at, id) < ($3, $4) and ${hasStatus('$5')} and ${isOfInstance('$6')} order by created_at desc, id desc limit $7`,
		listOldest: `select body from ${transactions} where server = $1 and created_at < $2 and (created_at, id) > ($3, $4) and ${hasStatus('$5')} and ${isOfInstance('$6')} order by created_at, id limit $7`,
		listNewestOfChat: `${names} select t.body from names cross join ${transactions} t where ${ofName} and t.created_at >= $4 and (t.created_at, t.id) < ($5, $6) and ${hasStatus('$7')} order by t.created_at desc, t.id desc limit $8`,
		listOldestOfChat: `${names} select t.body from names cross join ${transactions} t where ${ofName} and t.created_at < $4 and (t.created_at, t.id) > ($5, $6) and ${hasStatus('$7')} order by t.created_at, t.id limit $8`,
		ownsMessage: `select 1 from ${messages} where server = $1 and message_id = $2`,
		// a link that would close a circle is left out: its chats are one already; a used link is marked as such once a day
		linkChat: `with recursive path(name) as (
				select cast($4 as text)
				union select l.recipient from path cross join ${links} l where l.server = $1 and l.instance = $2 and l.jid = path.name
			)
			insert into ${links} (server, instance, jid, recipient, used_at)
			select $1, $2, $3, $4, cast($5 as bigint) where not exists (select 1 from path where name = $3)
			on conflict (server, instance, jid) do update set recipient = excluded.recipient, used_at = excluded.used_at
			where ${links}.recipient <> excluded.recipient or ${links}.used_at < excluded.used_at - 86400000`,
		linkedChat: `${path} select name from path where not exists (select 1 from ${links} l where l.server = $1 and l.instance = $2 and l.jid = path.name)`,
		linkedJids: `${names} select name from names where name <> $3`,
		prune: `delete from ${transactions} where (server, id) in (select server, id from ${transactions} where ${age} < $1 and holds = 0 order by ${age} limit $2) returning id`,
		/**
		 * Of server $1, what ended before $2. Chats stay whole in which something is open, holds, is still to be told, or may
		 * still go out at $3: recovery sees by what was sent later that something must not be sent any more. `|| ''` keeps
		 * SQLite from all of a server: the index by age is the narrow one.
		 */
		pruneEnded: `delete from ${transactions} where (server, id) in (
			with busy(instance, recipient) as (
				select instance, recipient from ${transactions} where server = $1 and unfinished = 1
				union select instance, recipient from ${transactions} where server = $1 and holds = 1
				union select instance, recipient from ${transactions} where server = $1 and unsettled_until > $3
			)
			select server, id from ${transactions} where server || '' = $1 and ${age} < $2 and (instance, recipient) not in (select instance, recipient from busy) order by ${age} limit $4) returning id`,
		/** Links that no transaction and no other link needs. */
		pruneLinks: `delete from ${links} where (server, instance, jid) in (
			select l.server, l.instance, l.jid from ${links} l where l.used_at < $1
			and not exists (select 1 from ${transactions} t where t.server = l.server and t.instance = l.instance and t.recipient in (l.jid, l.recipient))
			and not exists (select 1 from ${links} further where further.server = l.server and further.instance = l.instance and further.jid = l.recipient)
			order by l.used_at limit $2)`,
		makeFact: `insert into ${facts} (name, value) values ($1, $2) on conflict (name) do nothing`,
		fact: `select value from ${facts} where name = $1`,
	};
}

export type Queries = ReturnType<typeof queriesFor>;
