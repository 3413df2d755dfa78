// The ledger's schema in both databases, one entry a version. A released entry is never changed: a new one is added.
//
// The body is the whole transaction as JSON; the columns beside it are what queries look for. Triggers keep the table of
// messages, so that each write is a single statement.

/** SQLite's, run in their order from the version that a file has (`PRAGMA user_version`). */
export const migrations: string[] = [
	`
	create table transactions (
		server text not null,
		id text not null,
		instance text not null,
		recipient text not null,
		status text not null,
		content text not null,
		origin text,
		fence integer not null,
		created_at integer not null,
		ended_at integer,
		body text not null,
		primary key (server, id)
	);
	create index transactions_by_chat on transactions (server, instance, recipient, fence);
	create index transactions_by_origin on transactions (server, origin, created_at) where origin is not null;
	create index transactions_by_end on transactions (ended_at) where ended_at is not null;
	create index transactions_open on transactions (created_at) where status = 'open';

	create table steps (
		server text not null,
		transaction_id text not null,
		step_index integer not null,
		type text not null,
		status text not null,
		message_id text,
		doubt_until integer,
		body text not null,
		primary key (server, transaction_id, step_index),
		foreign key (server, transaction_id) references transactions (server, id) on delete cascade
	) without rowid;
	create index steps_by_message on steps (server, message_id) where message_id is not null;
	create index steps_in_doubt on steps (server, transaction_id) where status = 'inDoubt';

	create table chat_links (
		server text not null,
		instance text not null,
		jid text not null,
		recipient text not null,
		primary key (server, instance, jid)
	) without rowid;

	create table facts (name text primary key, value text not null) without rowid;
	`,
	`
	create table transactions_2 (
		server text not null,
		id text not null,
		instance text not null,
		recipient text not null,
		status text not null,
		origin text,
		fence integer not null,
		unsettled_until integer,
		unfinished integer not null,
		holds integer not null,
		message_ids text,
		created_at integer not null,
		ended_at integer,
		body text not null,
		opened_by text not null,
		primary key (server, id)
	);
	insert into transactions_2
	select t.server, t.id, t.instance, t.recipient, t.status, t.origin, t.fence,
		case when t.status = 'open' and exists (select 1 from steps s where s.server = t.server and s.transaction_id = t.id and s.status <> 'pending') then ${Number.MAX_SAFE_INTEGER}
			else (select max(s.doubt_until) from steps s where s.server = t.server and s.transaction_id = t.id and s.status = 'inDoubt') end,
		t.status = 'open' or coalesce(json_extract(t.body, '$.errorCallback.status') = 'pending', 0),
		0,
		(select json_group_array(s.message_id) from steps s where s.server = t.server and s.transaction_id = t.id having count(s.message_id) > 0),
		t.created_at, t.ended_at,
		json_patch(
			json_set(t.body, '$.id', t.id, '$.chat', json_object('server', t.server, 'instance', t.instance, 'recipient', t.recipient), '$.status', t.status, '$.content', t.content, '$.createdAt', t.created_at,
				'$.steps', json((select json_group_array(json(s.body)) from (select body from steps where server = t.server and transaction_id = t.id order by step_index) s))),
			json_object('origin', t.origin, 'endedAt', t.ended_at)
		),
		''
	from transactions t order by t.rowid;
	update transactions_2 set body = json_set(body, '$.definition.onFailure', 'release') where json_type(body, '$.definition') is not null;
	update transactions_2 set body = json_set(body, '$.definition.webhook.needs', 'headers') where json_type(body, '$.definition.webhook') is not null;
	drop table steps;
	drop table transactions;
	alter table transactions_2 rename to transactions;
	create index transactions_by_chat on transactions (server, instance, recipient, fence);
	create index transactions_by_time on transactions (server, instance, recipient, created_at);
	create index transactions_by_origin on transactions (server, origin, created_at) where origin is not null;
	create index transactions_by_age on transactions (coalesce(ended_at, created_at));
	create index transactions_unsettled on transactions (server, instance, recipient) where unsettled_until is not null;
	create index transactions_unfinished on transactions (server, created_at, id) where unfinished = 1;
	create index transactions_holding on transactions (server, instance, recipient, created_at) where holds = 1;

	create table messages (
		server text not null,
		message_id text not null,
		transaction_id text not null,
		primary key (server, message_id),
		foreign key (server, transaction_id) references transactions (server, id) on delete cascade
	) without rowid;
	create index messages_by_owner on messages (server, transaction_id);
	insert into messages select t.server, m.value, t.id from transactions t, json_each(t.message_ids) m where m.value is not null on conflict do nothing;
	create trigger transactions_opened after insert on transactions when new.message_ids is not null begin
		insert into messages select new.server, value, new.id from json_each(new.message_ids) where true on conflict do nothing;
	end;
	create trigger transactions_saved after update of message_ids on transactions when new.message_ids is not old.message_ids and new.message_ids is not null begin
		insert into messages select new.server, value, new.id from json_each(new.message_ids) where true on conflict do nothing;
	end;

	alter table chat_links add column used_at integer not null default 0;
	update chat_links set used_at = unixepoch() * 1000;
	create index chat_links_by_recipient on chat_links (server, instance, recipient);
	create index chat_links_by_use on chat_links (used_at);
	`,
	// what is listed is looked at by its creation; the status stands in the index, so that others are passed over within it
	`
	create index transactions_by_creation on transactions (server, created_at, id, status);
	`,
	`
	create table buffer_messages (
		position integer primary key autoincrement,
		server text not null,
		instance text not null,
		recipient text not null,
		message_id text not null,
		added_by text not null,
		turn text,
		redelivered integer not null default 0,
		media integer not null,
		bytes integer not null,
		received_at integer not null,
		body text not null,
		unique (server, instance, recipient, message_id)
	);
	create index buffer_messages_waiting on buffer_messages (server, instance, recipient) where turn is null;
	create index buffer_messages_by_turn on buffer_messages (turn) where turn is not null;
	create index buffer_messages_by_age on buffer_messages (received_at);

	create table buffer_turns (
		id text not null primary key,
		server text not null,
		instance text not null,
		recipient text not null,
		owner text not null,
		phase text not null,
		holds integer not null,
		begun_at integer not null
	) without rowid;
	create unique index buffer_turns_collecting on buffer_turns (server, instance, recipient) where phase = 'collecting';
	create index buffer_turns_by_chat on buffer_turns (server, instance, recipient);
	`,
];

/** PostgreSQL's, run in their order from the version that its table `schema_version` has; `prefix` goes before each name. */
export function postgresMigrations(prefix: string): string[] {
	return [
		`
		create table ${prefix}transactions (
			server text not null,
			id text not null,
			instance text not null,
			recipient text not null,
			status text not null,
			origin text,
			fence bigint not null,
			unsettled_until bigint,
			unfinished smallint not null,
			holds smallint not null,
			message_ids text,
			created_at bigint not null,
			ended_at bigint,
			body text not null,
			opened_by text not null,
			rowid bigint generated always as identity, -- the order of arrival, by the name that SQLite has for it
			primary key (server, id)
		);
		create index ${prefix}transactions_by_chat on ${prefix}transactions (server, instance, recipient, fence);
		create index ${prefix}transactions_by_time on ${prefix}transactions (server, instance, recipient, created_at);
		create index ${prefix}transactions_by_origin on ${prefix}transactions (server, origin, created_at, rowid) where origin is not null;
		create index ${prefix}transactions_by_age on ${prefix}transactions ((coalesce(ended_at, created_at)));
		create index ${prefix}transactions_unsettled on ${prefix}transactions (server, instance, recipient) where unsettled_until is not null;
		create index ${prefix}transactions_unfinished on ${prefix}transactions (server, created_at, id) where unfinished = 1;
		create index ${prefix}transactions_holding on ${prefix}transactions (server, instance, recipient, created_at) where holds = 1;

		create table ${prefix}messages (
			server text not null,
			message_id text not null,
			transaction_id text not null,
			primary key (server, message_id),
			foreign key (server, transaction_id) references ${prefix}transactions (server, id) on delete cascade
		);
		create index ${prefix}messages_by_owner on ${prefix}messages (server, transaction_id);
		create function ${prefix}own_messages() returns trigger language plpgsql as $$ begin
			insert into ${prefix}messages select new.server, m, new.id from json_array_elements_text(new.message_ids::json) m on conflict do nothing;
			return null;
		end $$;
		create trigger opened after insert on ${prefix}transactions for each row when (new.message_ids is not null) execute function ${prefix}own_messages();
		create trigger saved after update of message_ids on ${prefix}transactions for each row
			when (new.message_ids is distinct from old.message_ids and new.message_ids is not null) execute function ${prefix}own_messages();

		create table ${prefix}chat_links (
			server text not null,
			instance text not null,
			jid text not null,
			recipient text not null,
			used_at bigint not null,
			primary key (server, instance, jid)
		);
		create index ${prefix}chat_links_by_recipient on ${prefix}chat_links (server, instance, recipient);
		create index ${prefix}chat_links_by_use on ${prefix}chat_links (used_at);

		create table ${prefix}facts (name text primary key, value text not null);
		`,
		`
		create index ${prefix}transactions_by_creation on ${prefix}transactions (server, created_at, id, status);
		`,
		`
		create table ${prefix}buffer_messages (
			position bigint generated always as identity primary key,
			server text not null,
			instance text not null,
			recipient text not null,
			message_id text not null,
			added_by text not null,
			turn text,
			redelivered smallint not null default 0,
			media smallint not null,
			bytes bigint not null,
			received_at bigint not null,
			body text not null,
			unique (server, instance, recipient, message_id)
		);
		create index ${prefix}buffer_messages_waiting on ${prefix}buffer_messages (server, instance, recipient) where turn is null;
		create index ${prefix}buffer_messages_by_turn on ${prefix}buffer_messages (turn) where turn is not null;
		create index ${prefix}buffer_messages_by_age on ${prefix}buffer_messages (received_at);

		create table ${prefix}buffer_turns (
			id text not null primary key,
			server text not null,
			instance text not null,
			recipient text not null,
			owner text not null,
			phase text not null,
			holds smallint not null,
			begun_at bigint not null
		);
		create unique index ${prefix}buffer_turns_collecting on ${prefix}buffer_turns (server, instance, recipient) where phase = 'collecting';
		create index ${prefix}buffer_turns_by_chat on ${prefix}buffer_turns (server, instance, recipient);
		`,
	];
}
