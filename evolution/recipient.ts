// One person, one name: turns the many spellings of a WhatsApp recipient into the key of its chat.

/** A recipient as this package uses it. */
export interface Recipient {
	/** Key of the chat: the JID that EvolutionAPI answers with, `<digits>@s.whatsapp.net`, `…@g.us`, `…@lid` and so on. */
	jid: string;
	/** What EvolutionAPI is given as `number`: digits, or the JID where it is no phone. */
	number: string;
	kind: 'person' | 'group' | 'broadcast' | 'channel';
}

const kinds: Record<string, Recipient['kind']> = {
	's.whatsapp.net': 'person',
	'c.us': 'person',
	lid: 'person',
	'g.us': 'group',
	broadcast: 'broadcast',
	newsletter: 'channel',
};

/** E.164 allows 15 digits; the shortest numbers in use with their country code have 7. */
const phoneDigits = { min: 7, max: 15 };

/** Throws an Error whose message is a full sentence when `given` can't be a WhatsApp recipient. */
export function toRecipient(given: string): Recipient {
	const spelling = given.trim();
	if (!spelling) throw new Error('is empty: enter a phone number with its country code, such as +55 11 98888-7777');
	const [user = '', server, ...rest] = spelling.split('@');
	if (server === undefined) return spelledAsNumber(spelling);
	const kind = kinds[server.toLowerCase()];
	if (!kind || rest.length > 0) throw new Error(`"${spelling}" is no WhatsApp address: it has to end in @s.whatsapp.net, @g.us, @lid, @broadcast or @newsletter`);
	const name = user.replace(/:\d+$/, ''); // the device, as in 5511988887777:12@s.whatsapp.net
	if (server.toLowerCase() === 's.whatsapp.net' || server.toLowerCase() === 'c.us') return phone(name, spelling);
	const valid = kind === 'broadcast' ? /^[\w-]+$/ : /^\d+(-\d+)?$/;
	if (!valid.test(name)) throw new Error(`"${spelling}" is no WhatsApp address: digits have to stand before the @`);
	const jid = `${name}@${server.toLowerCase()}`;
	return { jid, number: jid, kind };
}

function spelledAsNumber(spelling: string): Recipient {
	if (/^\d{18,}$/.test(spelling) || /^\d{10,}-\d{10,}$/.test(spelling)) {
		// EvolutionAPI takes 18 digits or more, and the old "<creator>-<time>" form, for a group's ID
		return { jid: `${spelling}@g.us`, number: `${spelling}@g.us`, kind: 'group' };
	}
	return phone(spelling, spelling);
}

function phone(written: string, spelling: string): Recipient {
	if (!/^[\d\s()+./\u00a0\u2010-\u2015\u2212-]*$/.test(written)) throw new Error(`"${spelling}" is not a phone number: use digits with the country code, such as +55 11 98888-7777`);
	const digits = written.replace(/\D/g, '').replace(/^00/, '');
	if (digits.length < phoneDigits.min || digits.length > phoneDigits.max) {
		throw new Error(`"${spelling}" can't be a phone number: it has ${digits.length} digits, and a number with its country code has ${phoneDigits.min} to ${phoneDigits.max}`);
	}
	return { jid: `${asEvolutionDoes(digits)}@s.whatsapp.net`, number: digits, kind: 'person' };
}

/**
 * The digits that EvolutionAPI 2.3.6 makes of a number (its `createJid`; test/captures/send-text.number.*): it drops
 * the third digit of 13-digit Mexican and Argentine numbers, and the ninth digit of Brazilian mobile numbers with an
 * area code from 31 up. Both spellings are one person, so they must be one chat.
 */
function asEvolutionDoes(digits: string): string {
	if (/^5[24]\d{11}$/.test(digits)) return digits.slice(0, 2) + digits.slice(3);
	const brazil = /^55(\d{2})\d([7-9]\d{7})$/.exec(digits);
	if (brazil && Number(brazil[1]) >= 31) return `55${brazil[1]}${brazil[2]}`;
	return digits;
}
