// What the operations of the log are asked for: what is wrong is named, nothing is guessed.
import { InvalidInputError } from '../../../ordering/errors';
import { logLabels, toChatRequest, toListRequest, toPruneRequest, transactionStatuses } from '../../../ordering/log/request';
import { EvolutionServerApi } from '../../../credentials/EvolutionServerApi.credentials';
import { OrderedMessageLog } from '../../../nodes/OrderedMessageLog/OrderedMessageLog.node';
import { thrownIn } from '../../evolution/helpers';
import { displayNames } from '../displayNames';

const access = { baseUrl: 'https://Evolution.test/', apiKey: 'key' };
const zone = 'America/Sao_Paulo';
const chat = { instanceName: 'meta1', number: '+55 11 98888-7777' };
const jid = '5511988887777@s.whatsapp.net';

test('nothing asked for is all of the server, newest first', () => {
	expect(toListRequest(access, {}, zone)).toEqual({ limit: undefined, listing: { server: 'https://evolution.test', statuses: transactionStatuses, from: 0, to: 8_640_000_000_000_000, order: 'newestFirst' } });
});

test('a chat, statuses, times and an order are taken as they are meant', () => {
	const { listing, limit } = toListRequest(access, { ...chat, statuses: ['open'], createdAfter: '2026-11-24', createdBefore: '2026-11-25T00:00:00', order: 'oldestFirst', limit: '20' }, zone);
	expect(listing).toEqual({ server: 'https://evolution.test', recipient: { instance: 'meta1', jid }, statuses: ['open'], from: Date.parse('2026-11-24T03:00:00Z'), to: Date.parse('2026-11-25T03:00:00Z'), order: 'oldestFirst' });
	expect(limit).toBe(20);
	expect(toListRequest(access, { instanceName: ' meta1 ' }, zone).listing).toMatchObject({ instance: 'meta1' });
});

test('a chat without times is looked at for the last day', () => {
	expect(toChatRequest(access, chat, zone, 1_800_000_000_000)).toMatchObject({ server: 'https://evolution.test', instance: 'meta1', recipient: { jid }, from: 1_800_000_000_000 - 86_400_000, to: 1_800_000_000_000 });
	expect(toChatRequest(access, { ...chat, to: '2026-11-24T12:00:00' }, zone)).toMatchObject({ from: Date.parse('2026-11-23T15:00:00Z'), to: Date.parse('2026-11-24T15:00:00Z') });
});

test('days are counted back from now, down to none', () => {
	expect(toPruneRequest(access, { olderThanDays: 30 }, 1_800_000_000_000)).toEqual({ server: 'https://evolution.test', before: 1_800_000_000_000 - 30 * 86_400_000 });
	expect(toPruneRequest(access, { olderThanDays: 0 }, 5)).toMatchObject({ before: 5 });
	expect(toPruneRequest(access, { olderThanDays: '0.5' }, 86_400_000)).toMatchObject({ before: 43_200_000 });
});

const wrong: Array<[keyof typeof logLabels, () => unknown]> = [
	['instanceName', () => toListRequest(access, { number: chat.number }, zone)],
	['instanceName', () => toChatRequest(access, { ...chat, instanceName: ' ' }, zone)],
	['number', () => toChatRequest(access, { ...chat, number: 'abc' }, zone)],
	['number', () => toChatRequest(access, { ...chat, number: undefined }, zone)],
	['number', () => toListRequest(access, { ...chat, number: '12' }, zone)],
	['statuses', () => toListRequest(access, { statuses: ['done'] }, zone)],
	['createdAfter', () => toListRequest(access, { createdAfter: 'yesterday' }, zone)],
	['createdBefore', () => toListRequest(access, { createdAfter: '2026-11-24', createdBefore: '2026-11-24' }, zone)],
	['from', () => toChatRequest(access, { ...chat, from: '24.11.2026' }, zone)],
	['to', () => toChatRequest(access, { ...chat, from: '2026-11-25', to: '2026-11-24' }, zone)],
	...[0, 10_001, 1.5, '', 'many', null, NaN].map((limit): [keyof typeof logLabels, () => unknown] => ['limit', () => toListRequest(access, { limit }, zone)]),
	['order', () => toListRequest(access, { order: 'random' }, zone)],
	...[-1, '', 'ten', null, Infinity].map((olderThanDays): [keyof typeof logLabels, () => unknown] => ['olderThanDays', () => toPruneRequest(access, { olderThanDays })]),
];

test.each(wrong)('what is wrong with %s is named as the panel names it', (field, run) => {
	const error = thrownIn(run) as InvalidInputError;
	expect(error).toBeInstanceOf(InvalidInputError);
	expect(error.failure.field).toBe(field);
	expect(error.message.startsWith(`${logLabels[field]}: `)).toBe(true);
});

test('each of them is refused without a key or an address', () => {
	for (const run of [toListRequest, toChatRequest, toPruneRequest] as Array<(...given: unknown[]) => unknown>) {
		expect(thrownIn(() => run({ ...access, apiKey: ' ' }, { ...chat, olderThanDays: 1 }, zone))).toMatchObject({ message: expect.stringMatching(/^API Key: is empty/) as string });
		expect(thrownIn(() => run({ ...access, baseUrl: 'evolution' }, { ...chat, olderThanDays: 1 }, zone))).toMatchObject({ message: expect.stringMatching(/^Base URL: /) as string });
	}
});

test('the fields are named in errors as the panel names them', () => {
	const shown = displayNames([...new OrderedMessageLog().description.properties, ...new EvolutionServerApi().properties]);
	for (const [field, label] of Object.entries(logLabels)) expect([field, shown.get(field)]).toEqual([field, label]);
});
