// Times as n8n and people write them.
import { offsetOf, toTime } from '../../../ordering/log/time';

const utc = (text: string) => Date.parse(text);

test.each<[unknown, string, string]>([
	['2026-11-24T15:30:00', 'America/Sao_Paulo', '2026-11-24T18:30:00Z'],
	['2026-11-24T15:30:00', 'Asia/Kolkata', '2026-11-24T10:00:00Z'],
	['2026-11-24 15:30', 'Europe/Madrid', '2026-11-24T14:30:00Z'],
	['2026-11-24', 'Europe/Madrid', '2026-11-23T23:00:00Z'],
	['2026-07-24T15:30:00.250', 'Europe/Madrid', '2026-07-24T13:30:00.250Z'],
	['2026-11-24T15:30:00Z', 'Asia/Kolkata', '2026-11-24T15:30:00Z'],
	['2026-11-24T15:30:00.000-03:00', 'Asia/Kolkata', '2026-11-24T18:30:00Z'],
	[new Date('2026-11-24T15:30:00Z'), 'Asia/Kolkata', '2026-11-24T15:30:00Z'],
	[{ toMillis: () => 1_800_000_000_000 }, 'Asia/Kolkata', '2027-01-15T08:00:00Z'],
	[1_800_000_000_000, 'Asia/Kolkata', '2027-01-15T08:00:00Z'],
	// in the night in which clocks change, before and after
	['2026-03-29T01:59:00', 'Europe/Madrid', '2026-03-29T00:59:00Z'],
	['2026-03-29T03:01:00', 'Europe/Madrid', '2026-03-29T01:01:00Z'],
	['2026-10-25T03:01:00', 'Europe/Madrid', '2026-10-25T02:01:00Z'],
])('%s in %s is %s', (given, timeZone, expected) => {
	expect(toTime(given, timeZone)).toBe(utc(expected));
});

test.each([['yesterday'], ['24/11/2026'], ['2026-13-40'], ['2026-11-24T25:00:00'], [''], [NaN], [true], [{}], [[]], [new Date('x')]])('%p is no time', (given) => {
	expect(toTime(given, 'UTC')).toBeUndefined();
});

test('the offset of a zone is that of the moment', () => {
	expect(offsetOf(utc('2026-07-01T00:00:00Z'), 'Europe/Madrid')).toBe(7_200_000);
	expect(offsetOf(utc('2026-12-01T00:00:00.500Z'), 'Europe/Madrid')).toBe(3_600_000);
	expect(offsetOf(utc('2026-12-01T00:00:00Z'), 'America/Sao_Paulo')).toBe(-10_800_000);
});
