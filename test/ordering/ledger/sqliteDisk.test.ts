// When the embedded ledger says that something is recorded: once the disk has it, and the process goes on meanwhile.
import { SqliteLedger } from '../../../ordering/ledger/sqlite';
import { endWithTest, temporaryFolder } from '../../evolution/helpers';
import { chat, transaction } from './fixtures';

type Done = (error: Error | null) => void;
let disk: ((fd: number, done: Done) => void) | undefined;
jest.mock('node:fs', () => {
	const real = jest.requireActual<typeof import('node:fs')>('node:fs');
	return { ...real, fdatasync: (fd: number, done: Done) => (disk ?? real.fdatasync)(fd, done) };
});
afterEach(() => (disk = undefined));

function opened(): SqliteLedger {
	const ledger = SqliteLedger.open(temporaryFolder());
	endWithTest(() => ledger.close());
	return ledger;
}

/** A disk whose work ends when the test says so. */
function slowDisk(): { pending: Done[]; asked: () => Promise<Done> } {
	const pending: Done[] = [];
	disk = (_fd, done) => void pending.push(done);
	const asked = async () => {
		while (pending.length === 0) await new Promise(setImmediate);
		return pending.shift() as Done;
	};
	return { pending, asked };
}

/** Long enough for everything that waits for nothing but the event loop. */
async function turns(): Promise<void> {
	for (let i = 0; i < 20; i++) await new Promise(setImmediate);
}

test('a write is recorded when the disk has it, not before, and reads go on meanwhile', async () => {
	const ledger = opened();
	const { asked } = slowDisk();
	let recorded = false;
	const writing = ledger.open(transaction({ id: 'slow' })).then(() => (recorded = true));
	const done = await asked();
	await turns();
	expect(recorded).toBe(false);
	expect(await ledger.find(chat.server, 'slow')).toBeDefined();
	done(null);
	await writing;
	expect(recorded).toBe(true);
});

test('writes that come while the disk is at work wait for its next turn, all together', async () => {
	const ledger = opened();
	const { pending, asked } = slowDisk();
	const recorded: string[] = [];
	const write = (id: string) => ledger.open(transaction({ id })).then(() => recorded.push(id));
	const first = write('first');
	const ofFirst = await asked();
	const others = Promise.all(['second', 'third'].map(write));
	await turns();
	expect(pending).toHaveLength(0);
	ofFirst(null);
	await first;
	const ofOthers = await asked();
	await turns();
	expect(recorded).toEqual(['first']);
	ofOthers(null);
	await others;
	expect([recorded, pending.length]).toEqual([['first', 'second', 'third'], 0]);
});

test('what the disk did not take is not told to be recorded, and the next write is tried again', async () => {
	const ledger = opened();
	disk = (_fd, done) => setImmediate(done, new Error('EIO: i/o error, fdatasync'));
	await expect(ledger.open(transaction({ id: 'lost' }))).rejects.toMatchObject({ failure: { code: 'ledgerUnavailable', message: expect.stringContaining('EIO') } });
	disk = undefined;
	await ledger.open(transaction({ id: 'after' }));
	expect(await ledger.find(chat.server, 'after')).toBeDefined();
});

test('a ledger that is closed while the disk is at work has recorded all, and refuses what comes later', async () => {
	const ledger = SqliteLedger.open(temporaryFolder());
	const { asked } = slowDisk();
	const writing = ledger.open(transaction({ id: 'last' }));
	const done = await asked();
	const later = ledger.open(transaction({ id: 'waiting' }));
	await ledger.close();
	await expect(Promise.all([writing, later])).resolves.toHaveLength(2);
	done(null);
	await turns();
	await expect(ledger.open(transaction({ id: 'too late' }))).rejects.toMatchObject({ failure: { code: 'ledgerUnavailable' } });
});
