// One person, one chat: the spellings of a recipient.
import fc from 'fast-check';
import { toRecipient } from '../../evolution/recipient';
import { toJid } from '../../simulator';

test.each([
	['+55 (11) 98888-7777', '5511988887777@s.whatsapp.net'],
	['5511988887777', '5511988887777@s.whatsapp.net'],
	['  5511988887777 ', '5511988887777@s.whatsapp.net'],
	['005511988887777', '5511988887777@s.whatsapp.net'],
	['+55.11.98888/7777', '5511988887777@s.whatsapp.net'],
	['+55\u00a011\u00a098888\u20117777', '5511988887777@s.whatsapp.net'],
	['5511988887777@s.whatsapp.net', '5511988887777@s.whatsapp.net'],
	['5511988887777@S.WhatsApp.Net', '5511988887777@s.whatsapp.net'],
	['5511988887777@c.us', '5511988887777@s.whatsapp.net'],
	['5511988887777:12@s.whatsapp.net', '5511988887777@s.whatsapp.net'],
	['551188887777', '551188887777@s.whatsapp.net'],
	['5531988887777', '553188887777@s.whatsapp.net'],
	['553188887777', '553188887777@s.whatsapp.net'],
	['5531988887777@s.whatsapp.net', '553188887777@s.whatsapp.net'],
	['5531938887777', '5531938887777@s.whatsapp.net'],
	['5215512345678', '525512345678@s.whatsapp.net'],
	['525512345678', '525512345678@s.whatsapp.net'],
	['+54 9 11 2345-6789', '541123456789@s.whatsapp.net'],
	['541123456789', '541123456789@s.whatsapp.net'],
	['+1 (415) 555-2671', '14155552671@s.whatsapp.net'],
	['2901234', '2901234@s.whatsapp.net'],
	['123456789012345', '123456789012345@s.whatsapp.net'],
	['120363025246125486@g.us', '120363025246125486@g.us'],
	['120363025246125486', '120363025246125486@g.us'],
	['5511988887777-1514210102@g.us', '5511988887777-1514210102@g.us'],
	['5511988887777-1514210102', '5511988887777-1514210102@g.us'],
	['98765432101234@lid', '98765432101234@lid'],
	['98765432101234:3@lid', '98765432101234@lid'],
	['status@broadcast', 'status@broadcast'],
	['120363144038483540@newsletter', '120363144038483540@newsletter'],
])('"%s" is the chat %s', (given, jid) => {
	expect(toRecipient(given).jid).toBe(jid);
});

test.each([
	['5511988887777', 'person'], ['98765432101234@lid', 'person'], ['120363025246125486@g.us', 'group'], ['120363025246125486', 'group'],
	['status@broadcast', 'broadcast'], ['120363144038483540@newsletter', 'channel'],
])('"%s" is a %s', (given, kind) => {
	expect(toRecipient(given).kind).toBe(kind);
});

test('a phone is given to EvolutionAPI by its digits, everything else by its JID', () => {
	expect(toRecipient('+55 (31) 98888-7777').number).toBe('5531988887777');
	expect(toRecipient('5531988887777:4@s.whatsapp.net').number).toBe('5531988887777');
	expect(toRecipient('120363025246125486').number).toBe('120363025246125486@g.us');
	expect(toRecipient('98765432101234@lid').number).toBe('98765432101234@lid');
});

test.each([
	['', /is empty/],
	['   ', /is empty/],
	['abc', /"abc" is not a phone number/],
	['5511ABCDEFGH', /is not a phone number/],
	['call 5511988887777', /is not a phone number/],
	['123456', /has 6 digits/],
	['+', /has 0 digits/],
	['1234567890123456', /has 16 digits/],
	['abc@s.whatsapp.net', /is not a phone number/],
	['@s.whatsapp.net', /has 0 digits/],
	['5511988887777@gmail.com', /is no WhatsApp address/],
	['5511988887777@s.whatsapp.net@g.us', /is no WhatsApp address/],
	['@g.us', /digits have to stand before the @/],
	['abc@g.us', /digits have to stand before the @/],
	['@lid', /digits have to stand before the @/],
	['a/b@broadcast', /is no WhatsApp address/],
	['5511988887777\n', undefined],
	['5511988887777?x=1', /is not a phone number/],
])('%j is refused with a sentence where it is no recipient', (given, message) => {
	if (!message) expect(toRecipient(given).jid).toBe('5511988887777@s.whatsapp.net');
	else expect(() => toRecipient(given)).toThrow(message);
});

const number = fc.integer({ min: 1, max: 9 }).chain((first) => fc.stringMatching(/^\d{6,14}$/).map((rest) => `${first}${rest}`));
const brazilian = fc.tuple(fc.integer({ min: 11, max: 99 }), fc.constantFrom('', '9'), fc.stringMatching(/^[2-9]\d{7}$/)).map(([area, nine, rest]) => `55${area}${nine}${rest}`);
const latin = fc.tuple(fc.constantFrom('521', '549', '52', '54'), fc.stringMatching(/^\d{10}$/)).map(([prefix, rest]) => prefix + rest);
const anyNumber = fc.oneof(number, brazilian, latin);
const separators = fc.array(fc.constantFrom('', ' ', '-', '.', '(', ') ', '/'), { minLength: 20, maxLength: 20 });

test('all spellings of one number are one chat, the one that EvolutionAPI makes of it', () => {
	fc.assert(
		fc.property(anyNumber, separators, fc.nat(99), (digits, between, device) => {
			const spaced = [...digits].map((digit, index) => digit + between[index]).join('');
			const spellings = [digits, `+${digits}`, `00${digits}`, ` ${spaced} `, `+${spaced}`, `${digits}@s.whatsapp.net`, `${digits}:${device}@s.whatsapp.net`, `${digits}@c.us`];
			expect(new Set(spellings.map((spelling) => toRecipient(spelling).jid))).toEqual(new Set([toJid(digits)]));
		}),
		{ numRuns: 1000 },
	);
});

test('what goes to EvolutionAPI is understood by it as the same chat', () => {
	fc.assert(
		fc.property(anyNumber, (digits) => {
			const { jid, number: given } = toRecipient(digits);
			expect(toJid(given)).toBe(jid);
			expect(toRecipient(given).jid).toBe(jid);
		}),
		{ numRuns: 1000 },
	);
});

test('a chat\'s own JID leads to the same chat again', () => {
	fc.assert(
		fc.property(anyNumber, (digits) => {
			const { jid } = toRecipient(digits);
			expect(toRecipient(jid).jid).toBe(jid);
		}),
		{ numRuns: 1000 },
	);
});
