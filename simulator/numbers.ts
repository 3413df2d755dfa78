// The way EvolutionAPI 2.3.6 spells a recipient: whatever the caller gives becomes one JID.

const KEPT_AS_GIVEN = ['@g.us', '@s.whatsapp.net', '@lid', '@broadcast'];

/**
 * The JID that EvolutionAPI makes of `number`. Nothing is refused: an empty number or "abc"
 * becomes "@s.whatsapp.net" (captures `send-text.number.empty` and `send-text.number.not-a-number`).
 */
export function toJid(number: string): string {
	const withoutDevice = number.replace(/:\d+/, '');
	if (KEPT_AS_GIVEN.some((suffix) => withoutDevice.includes(suffix))) return withoutDevice;
	const digits = withoutDevice.replace(/\D/g, '');
	if (digits.length >= 18) return `${digits}@g.us`;
	return `${dropNinthDigit(dropThirdDigit(digits))}@s.whatsapp.net`;
}

/** True for chats that never acknowledge on WhatsApp Web. */
export function isGroupOrBroadcast(jid: string): boolean {
	return jid.includes('@g.us') || jid.includes('@broadcast');
}

/** The digits of a JID, without its server. */
export function digitsOf(jid: string): string {
	return jid.split('@')[0] ?? '';
}

/** Mexico 521… and Argentina 549…, 13 digits long, lose their third digit. */
function dropThirdDigit(digits: string): string {
	const mobilePrefix = digits.length === 13 && (digits.startsWith('52') || digits.startsWith('54'));
	return mobilePrefix ? digits.slice(0, 2) + digits.slice(3) : digits;
}

/** Brazil: area codes from 31 up lose the ninth digit of a mobile number. */
function dropNinthDigit(digits: string): string {
	const parts = /^55(\d{2})\d(\d{8})$/.exec(digits);
	if (!parts) return digits;
	const [, areaCode = '', subscriber = ''] = parts;
	return Number(areaCode) >= 31 && Number(subscriber[0]) >= 7 ? `55${areaCode}${subscriber}` : digits;
}
