// The SQLite ledger's schema, one entry a version. A released entry is never changed: a new one is added.

/** Run in their order from the version that a file has (`PRAGMA user_version`). */
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
];
