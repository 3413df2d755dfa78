// The buffer within one process, on SQLite.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { bufferContract } from './contract';
import { frequent } from './frequent';
import { oneItem, receive, sqlitePlace, text } from './place';

bufferContract('SQLite', sqlitePlace);

test('what is asked all the time is found by an index', async () => {
	const place = sqlitePlace();
	const { buffer } = await place.open();
	oneItem([await receive(buffer, text('a'))]);
	const database = new DatabaseSync(join((place.access as { folder: string }).folder, 'ledger.sqlite'), { readOnly: true });
	const plan = (sql: string, values: unknown[]) => database.prepare(`explain query plan ${sql}`).all(Object.fromEntries(values.map((value, i) => [`$${i + 1}`, value])) as never).map(({ detail }) => String(detail)).join('; ');
	try {
		for (const [name, sql, values] of frequent('')) expect([name, plan(sql, values)]).toEqual([name, expect.not.stringMatching(/SCAN (buffer_messages|buffer_turns|[mot])\b/)]);
		expect(plan('select body from buffer_messages where body = $1', ['x'])).toMatch(/SCAN buffer_messages/);
	} finally {
		database.close();
	}
});
