// Every kind of message: what is asked for it, where it can be sent, and how it is recognised on record.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cannotDelete, cannotSend } from '../../evolution/messages/channels';
import { isMark, markOf, mediaBytes, mediaOf, withMedia } from '../../evolution/messages/file';
import { maxMediaBytesAtMeta, maxRequestBytes } from '../../evolution/messages/limits';
import { type Buttons, kinds, type Kind, type List, type Message } from '../../evolution/messages/message';
import { contentOf, looksLike } from '../../evolution/messages/record';
import { requestOf } from '../../evolution/messages/request';
import type { Recipient } from '../../evolution/recipient';
import { EvolutionServer } from '../../evolution/server';
import type { Simulator } from '../../simulator';
import { endWithTest, simulated } from './helpers';

const call = { timeoutMs: 5000 };
const number = '5511988887777';
const jid = `${number}@s.whatsapp.net`;
const base64 = Buffer.from('a small file').toString('base64');

const list: List = { kind: 'list', title: 'T', description: 'D', footer: 'F', buttonText: 'Open', sections: [{ title: 'S', rows: [{ id: 'r1', title: 'R', description: 'd' }] }] };
const buttons: Buttons = { kind: 'buttons', title: 'T', description: 'D', footer: 'F', buttons: [{ type: 'reply', id: '1', text: 'Yes' }] };

/** One of each kind; those that are recorded are as recorded. */
const examples: { [K in Kind]: Extract<Message, { kind: K }> } = {
	text: { kind: 'text', text: 'Your order is confirmed' },
	image: { kind: 'image', media: 'http://hooks.example/pic.png', caption: 'pic' },
	video: { kind: 'video', media: base64, fileName: 'film.mp4', caption: 'film' },
	document: { kind: 'document', media: base64, fileName: 'invoice 7.pdf' },
	audio: { kind: 'audio', audio: 'https://files.example/voice.mp3' },
	sticker: { kind: 'sticker', sticker: 'https://files.example/s.webp' },
	location: { kind: 'location', name: 'Shop', address: 'Street 1', latitude: -23.5, longitude: -46.6 },
	contact: { kind: 'contact', contacts: [{ fullName: 'Ana', phoneNumber: '5511977776666' }] },
	poll: { kind: 'poll', name: 'Q', selectableCount: 1, options: ['a', 'b'] },
	list,
	buttons,
	reaction: { kind: 'reaction', emoji: '👍', messageId: 'wamid.bGFiLTE3OTU0NzM0NTk3ODAtMTU4Mg==', fromMe: true },
	template: { kind: 'template', name: 'order_update', language: 'pt_BR' },
};

/** Another of each kind, which no record of the first may be taken for. */
const others: { [K in Kind]: Extract<Message, { kind: K }> } = {
	text: { kind: 'text', text: 'Your order is cancelled' },
	image: { kind: 'image', media: 'http://hooks.example/other.png', caption: 'another' },
	video: { kind: 'video', media: Buffer.from('another file').toString('base64'), fileName: 'film.mp4', caption: 'another' },
	document: { kind: 'document', media: base64, fileName: 'invoice 8.pdf' },
	audio: { kind: 'audio', audio: 'https://files.example/another.mp3' },
	sticker: { kind: 'sticker', sticker: 'https://files.example/another.webp' },
	location: { ...examples.location, latitude: -23.500002 },
	contact: { kind: 'contact', contacts: [{ fullName: 'Ana', phoneNumber: '5511977776667' }] },
	poll: { kind: 'poll', name: 'Q', selectableCount: 1, options: ['a', 'c'] },
	list: { ...list, sections: [{ title: 'S', rows: [{ id: 'r1', title: 'Another', description: 'd' }] }] },
	buttons: { ...buttons, buttons: [{ type: 'reply', id: '1', text: 'No' }] },
	reaction: { ...examples.reaction, messageId: 'wamid.another' },
	template: { kind: 'template', name: 'order_cancelled', language: 'pt_BR' },
};

const instances = { 'WHATSAPP-BUSINESS': 'meta1', 'WHATSAPP-BAILEYS': 'phone1', EVOLUTION: 'evo1' } as const;
type Channel = keyof typeof instances;
const channels = Object.keys(instances) as Channel[];
const everywhere = channels.flatMap((channel) => kinds.map((kind): [Channel, Kind] => [channel, kind]));

function clientOf(simulator: Simulator): EvolutionServer {
	const one = new EvolutionServer({ baseUrl: simulator.url, apiKey: simulator.apiKey });
	endWithTest(() => one.close());
	return one;
}

function capture(name: string): { request: { path: string; body: unknown }; response: { body: { message: unknown; messageType: string } } } {
	return JSON.parse(readFileSync(join(__dirname, '../captures', `${name}.json`), 'utf8')) as ReturnType<typeof capture>;
}

describe('what is asked of EvolutionAPI', () => {
	test.each([
		['send-text.cloud.ok', 'text', 'meta1'],
		['send-media.cloud', 'image', 'meta1'],
		['send-location.cloud', 'location', 'meta1'],
		['send-contact.cloud', 'contact', 'meta1'],
		['send-poll.cloud', 'poll', 'meta1'],
		['send-list.cloud', 'list', 'meta1'],
		['send-buttons.evolution-channel', 'buttons', 'evo1'],
		['send-reaction.cloud', 'reaction', 'meta1'],
	] as Array<[string, Kind, string]>)('is as recorded in %s', (name, kind, instance) => {
		const { path, body } = requestOf(examples[kind], number);
		expect({ path: `${path}/${instance}`, body }).toEqual({ path: capture(name).request.path, body: capture(name).request.body });
	});

	test.each<[string, Message, string, Record<string, unknown>]>([
		['a video', examples.video, 'sendMedia', { number, mediatype: 'video', media: base64, fileName: 'film.mp4', caption: 'film' }],
		['a document', { ...examples.document, mimetype: 'application/pdf' }, 'sendMedia', { number, mediatype: 'document', media: base64, fileName: 'invoice 7.pdf', mimetype: 'application/pdf' }],
		['audio', examples.audio, 'sendWhatsAppAudio', { number, audio: 'https://files.example/voice.mp3' }],
		['a sticker', examples.sticker, 'sendSticker', { number, sticker: 'https://files.example/s.webp' }],
		['a template', { ...examples.template, components: [{ type: 'body' }] }, 'sendTemplate', { number, name: 'order_update', language: 'pt_BR', components: [{ type: 'body' }] }],
		['a contact with everything', { kind: 'contact', contacts: [{ fullName: 'Ana', phoneNumber: '+55 11 97777-6666', organization: 'O', email: 'a@b.c', url: 'https://b.c' }] }, 'sendContact', { number, contact: [{ fullName: 'Ana', wuid: '5511977776666', phoneNumber: '+55 11 97777-6666', organization: 'O', email: 'a@b.c', url: 'https://b.c' }] }],
		['buttons of each type', { kind: 'buttons', title: 'T', buttons: [{ type: 'url', text: 'Go', url: 'https://b.c' }, { type: 'call', text: 'Call', phoneNumber: '+55' }, { type: 'copy', text: 'Copy', code: 'X1' }] }, 'sendButtons', { number, title: 'T', buttons: [{ type: 'url', displayText: 'Go', url: 'https://b.c' }, { type: 'call', displayText: 'Call', phoneNumber: '+55' }, { type: 'copy', displayText: 'Copy', copyCode: 'X1' }] }],
		['a reaction in a group', { kind: 'reaction', emoji: '👍', messageId: 'M', fromMe: false, remoteJid: '1@g.us', participant: '2@lid' }, 'sendReaction', { key: { id: 'M', remoteJid: '1@g.us', fromMe: false, participant: '2@lid' }, reaction: '👍' }],
	])('for %s', (_what, message, route, body) => {
		expect(requestOf(message, number)).toEqual({ path: `/message/${route}`, body });
	});

	const all = { typingMilliseconds: 5, quotedMessageId: 'Q', mentionEveryone: true };
	test.each<[Kind, string[]]>([
		['text', ['delay', 'quoted', 'mentionsEveryOne']],
		['image', ['delay', 'quoted', 'mentionsEveryOne']],
		['video', ['delay', 'quoted', 'mentionsEveryOne']],
		['document', ['delay', 'quoted', 'mentionsEveryOne']],
		['audio', ['delay', 'quoted']],
		['sticker', ['delay', 'quoted', 'mentionsEveryOne']],
		['location', ['delay', 'quoted', 'mentionsEveryOne']],
		['poll', ['delay', 'quoted', 'mentionsEveryOne']],
		['list', ['delay', 'quoted', 'mentionsEveryOne']],
		['buttons', ['delay', 'quoted', 'mentionsEveryOne']],
		['reaction', []],
	])('of %s takes the options %j, and none where none is set', (kind, options) => {
		const values: Record<string, unknown> = { delay: 5, quoted: { key: { id: 'Q' } }, mentionsEveryOne: true };
		const { body } = requestOf({ ...examples[kind], ...all }, number);
		expect(Object.fromEntries(Object.keys(values).flatMap((name) => (name in body ? [[name, body[name]]] : [])))).toEqual(Object.fromEntries(options.map((name) => [name, values[name]])));
		expect(Object.keys(requestOf(examples[kind], number).body).filter((name) => name in values)).toEqual([]);
	});

	test('of a contact and a template takes a quote', () => {
		for (const kind of ['contact', 'template'] as const) expect(requestOf({ ...examples[kind], quotedMessageId: 'Q' }, number).body.quoted).toEqual({ key: { id: 'Q' } });
	});

	test('names the chat of a reaction as EvolutionAPI does, unless its message told another name', () => {
		expect(requestOf(examples.reaction, '5531988887777').body.key).toMatchObject({ remoteJid: '553188887777@s.whatsapp.net' });
		expect(requestOf(examples.reaction, '1@g.us').body.key).toMatchObject({ remoteJid: '1@g.us' });
		expect(requestOf({ ...examples.reaction, remoteJid: '7@lid' }, number).body.key).toMatchObject({ remoteJid: '7@lid' });
	});

	test.each([
		[`data:image/png;base64,${base64}`, base64],
		[`data:audio/ogg; codecs=opus;base64,${base64}`, base64],
		[base64.replace(/(.{4})/g, '$1\r\n'), base64],
		[' https://files.example/a b.png\n', 'https://files.example/a b.png'],
	])('has no head and no line breaks in its file: %j', (media, expected) => {
		expect(requestOf({ kind: 'image', media }, number).body.media).toBe(expected);
		expect(requestOf({ kind: 'audio', audio: media }, number).body.audio).toBe(expected);
		expect(requestOf({ kind: 'sticker', sticker: media }, number).body.sticker).toBe(expected);
	});
});

describe('what a channel can send', () => {
	/** Recorded: the poll on Meta's channel; the others stand in EvolutionAPI's source. */
	const missing: Record<Channel, Kind[]> = {
		'WHATSAPP-BUSINESS': ['sticker', 'poll'],
		'WHATSAPP-BAILEYS': ['template'],
		EVOLUTION: ['audio', 'sticker', 'location', 'contact', 'poll', 'list', 'reaction', 'template'],
	};

	test.each(everywhere)('%s: %s is told as it is', async (channel, kind) => {
		const can = !missing[channel].includes(kind);
		const problem = cannotSend(channel, examples[kind], 'person');
		expect(problem).toEqual(can ? undefined : { why: expect.stringMatching(/^(Meta's|WhatsApp|EvolutionAPI's) .* can't send \w+$/), remedy: expect.stringMatching(/^Send .*\.$/) });
		const simulator = await simulated();
		const outcome = await clientOf(simulator).send(instances[channel], number, examples[kind], call);
		expect(outcome).toMatchObject(can ? { kind: 'sent', statusCode: 201, messageId: expect.any(String) } : { kind: 'notSent', code: 'notOnThisChannel', tryAgain: 'never' });
		expect(simulator.control.messages()).toHaveLength(can ? 1 : 0);
	});

	test.each(['group', 'broadcast', 'channel'] as Array<Recipient['kind']>)("Meta's channel sends nothing to a %s", (recipient) => {
		for (const kind of kinds) expect(cannotSend('WHATSAPP-BUSINESS', examples[kind], recipient)).toBeDefined();
		expect(cannotSend('WHATSAPP-BUSINESS', examples.text, recipient)?.why).toContain(recipient);
		expect(cannotSend('WHATSAPP-BAILEYS', examples.text, recipient)).toBeUndefined();
	});

	test.each(['url', 'call', 'copy'] as const)("Meta's channel has no button of the type %s", (type) => {
		const odd = { kind: 'buttons', title: 'T', buttons: [buttons.buttons[0], { type, text: 'X' }] } as Message;
		expect(cannotSend('WHATSAPP-BUSINESS', odd, 'person')?.why).toContain(`type ${type}`);
		expect(cannotSend('WHATSAPP-BAILEYS', odd, 'person')).toBeUndefined();
		expect(cannotSend('EVOLUTION', odd, 'person')).toBeUndefined();
	});

	test.each([undefined, '', 'WHATSAPP-NEW', 'constructor'])('of the channel %j nothing is known', (channel) => {
		for (const kind of kinds) expect(cannotSend(channel, examples[kind], 'group')).toBeUndefined();
		expect(cannotDelete(channel)).toBeUndefined();
	});
});

describe('a message on record', () => {
	/** Where nothing but the kind can be compared: the file is not on record, and has no caption or name. */
	const onlyByKind: Partial<Record<Channel, Kind[]>> = { 'WHATSAPP-BAILEYS': ['audio', 'sticker'], EVOLUTION: ['video', 'document'] };

	test.each(everywhere.filter(([channel, kind]) => !cannotSend(channel, examples[kind], 'person')))('by %s is recognised: %s', async (channel, kind) => {
		const simulator = await simulated();
		const one = clientOf(simulator);
		await one.send(instances[channel], number, examples[kind], call);
		const [recorded] = await one.ownMessages(instances[channel], channel === 'EVOLUTION' ? number : jid, Date.now() - 60_000, call);
		if (!recorded) throw new Error('not on record');
		const blind = onlyByKind[channel]?.includes(kind);
		expect(looksLike(recorded, examples[kind])).toBe(blind ? 'cannotTell' : 'yes');
		expect(looksLike(recorded, others[kind])).toBe(blind ? 'cannotTell' : 'no');
		for (const another of kinds.filter((one) => one !== kind)) expect(looksLike(recorded, examples[another])).toBe('no');
	});

	test.each([
		['send-text.cloud.ok', 'text'],
		['send-text.evolution-channel.ok', 'text'],
		['send-media.cloud', 'image'],
		['send-location.cloud', 'location'],
		['send-contact.cloud', 'contact'],
		['send-list.cloud', 'list'],
		['send-buttons.evolution-channel', 'buttons'],
		['send-reaction.cloud', 'reaction'],
	] as Array<[string, Kind]>)('as recorded in %s is recognised', (name, kind) => {
		const { messageType, message } = capture(name).response.body;
		const recorded = { content: contentOf(messageType, message) };
		expect(looksLike(recorded, examples[kind])).toBe('yes');
		expect(looksLike(recorded, others[kind])).toBe('no');
	});

	test('is told by caption or file name where WhatsApp Web keeps no more of the file', () => {
		const image = { content: contentOf('imageMessage', { imageMessage: { url: 'https://mmg.whatsapp.net/x', caption: 'Order 7 ' } }) };
		expect(looksLike(image, { kind: 'image', media: base64, caption: 'Order 7' })).toBe('yes');
		expect(looksLike(image, { kind: 'image', media: base64, caption: 'Order 8' })).toBe('no');
		expect(looksLike(image, { kind: 'image', media: base64 })).toBe('no');
		const bare = { content: contentOf('imageMessage', { imageMessage: { url: 'https://mmg.whatsapp.net/x' } }) };
		expect(looksLike(bare, { kind: 'image', media: base64 })).toBe('cannotTell');
		expect(looksLike(bare, { kind: 'image', media: base64, caption: 'Order 7' })).toBe('no');
		expect(looksLike(bare, { kind: 'video', media: base64 })).toBe('no');
	});

	test.each<[string, string, unknown, Message]>([
		['a document with a caption, wrapped', 'documentWithCaptionMessage', { documentWithCaptionMessage: { message: { documentMessage: { fileName: 'invoice 7.pdf' } } } }, examples.document],
		['a poll of many choices', 'pollCreationMessage', { messageContextInfo: {}, pollCreationMessage: { name: 'Q', options: [{ optionName: 'a' }, { optionName: 'b' }] } }, examples.poll],
		['a poll of an announcement group', 'pollCreationMessageV2', { pollCreationMessageV2: { name: 'Q', options: [{ optionName: 'a' }, { optionName: 'b' }] } }, examples.poll],
		['buttons that are not wrapped', 'interactiveMessage', { interactiveMessage: { body: { text: '*T*\n\nD' }, nativeFlowMessage: { buttons: [{ buttonParamsJson: '{"display_text":"Yes"}' }] } } }, buttons],
		['several contacts', 'contactsArrayMessage', { contactsArrayMessage: { contacts: [{ displayName: 'Ana', vcard: 'item1.TEL;waid=1:11\nEND:VCARD' }, { displayName: 'Bo', vcard: 'TEL;waid=2:22' }] } }, { kind: 'contact', contacts: [{ fullName: 'Ana', phoneNumber: '11' }, { fullName: 'Bo', phoneNumber: '22' }] }],
	])('in another shape is recognised: %s', (_what, messageType, message, sent) => {
		expect(looksLike({ content: contentOf(messageType, message) }, sent)).toBe('yes');
	});

	test("with a template's values can't be told from one with others", () => {
		const recorded = { content: contentOf('conversation', { conversation: '▶️order_update◀️' }) };
		expect(looksLike(recorded, { ...examples.template, components: [{ type: 'body' }] })).toBe('cannotTell');
		expect(looksLike(recorded, { ...examples.template, components: [] })).toBe('yes');
	});

	test.each([undefined, null, 'x', [], {}, { protocolMessage: {} }, { imageMessage: 'x' }, { contactsArrayMessage: { contacts: [5] } }, { interactiveMessage: { nativeFlowMessage: { buttons: [{ buttonParamsJson: '{' }] } } }])('that is odd is none of ours: %j', (message) => {
		for (const kind of kinds) expect(looksLike({ content: contentOf('unknown', message) }, examples[kind])).toBe('no');
	});
});

describe('a send of any kind', () => {
	test.each(kinds)('%s: is judged on its own route', async (kind) => {
		const simulator = await simulated();
		const one = clientOf(simulator);
		const instance = kind === 'sticker' || kind === 'poll' ? 'phone1' : 'meta1';
		const route = requestOf(examples[kind], number).path.split('/').at(-1);
		const send = () => one.send(instance, number, examples[kind], call);
		simulator.control.addRule({ route, times: 1, sent: true, answer: { kind: 'reset' } });
		expect(await send()).toMatchObject({ kind: 'unknown' });
		simulator.control.addRule({ route, times: 1, answer: { kind: 'databaseError' } });
		expect(await send()).toMatchObject({ kind: 'unknown', statusCode: 400 });
		simulator.control.addRule({ route, times: 1, answer: { kind: 'metaRefusal', code: 131047 } });
		expect(await send()).toMatchObject({ kind: 'notSent', code: 'meta131047' });
		simulator.control.addRule({ route, times: 1, answer: { kind: 'notLoaded' } });
		expect(await send()).toMatchObject({ kind: 'notSent', code: 'instanceNotLoaded', tryAgain: 'now' });
		simulator.control.addRule({ route, times: 1, answer: { kind: 'notConnected' } });
		expect(await send()).toMatchObject({ kind: 'notSent', code: 'notConnected', tryAgain: 'now' });
		expect(simulator.control.messages()).toHaveLength(2);
		expect(await send()).toMatchObject({ kind: 'sent' });
	});

	test.each(['text', 'image', 'audio', 'sticker', 'location', 'poll', 'list', 'buttons'] as Kind[])('%s: with typing has that much longer to be answered', async (kind) => {
		const simulator = await simulated();
		const started = Date.now();
		expect(await clientOf(simulator).send('phone1', number, { ...examples[kind], typingMilliseconds: 600 } as Message, { timeoutMs: 400 })).toMatchObject({ kind: 'sent' });
		expect(Date.now() - started).toBeGreaterThanOrEqual(590);
	});

	test("takes a large file as base64, though Meta's channel repeats it in its answer and on record", async () => {
		const simulator = await simulated();
		const one = clientOf(simulator);
		const video: Message = { kind: 'video', media: Buffer.alloc(maxMediaBytesAtMeta.video, 1).toString('base64') };
		expect(video.media.length).toBeLessThan(maxRequestBytes);
		const outcome = await one.send('meta1', number, video, { timeoutMs: 100_000 });
		expect(outcome).toEqual({ kind: 'sent', messageId: expect.stringMatching(/^wamid\./), remoteJid: jid, statusCode: 201 });
		const [recorded] = await one.ownMessages('meta1', jid, 0, { timeoutMs: 100_000 });
		expect(recorded?.messageId).toBe((outcome as { messageId: string }).messageId);
		expect(recorded && looksLike(recorded, video)).toBe('yes');
		expect(recorded && looksLike(recorded, { ...video, media: base64 })).toBe('no');
	}, 120_000);

	test.each<[string, Message, string]>([
		['a file that is neither address nor base64', { kind: 'image', media: 'http://localhost/a.png' }, 'invalidMedia'],
		['an audio that is neither', { kind: 'audio', audio: '???' }, 'invalidMedia'],
		['a reaction without an emoji', { ...examples.reaction, emoji: '' }, 'invalidRequest'],
		['a poll of one option', { ...examples.poll, options: ['a'] }, 'invalidRequest'],
		['a list without rows', { ...list, sections: [{ title: 'S', rows: [] }] }, 'invalidRequest'],
		['a contact with a short number', { kind: 'contact', contacts: [{ fullName: 'A', phoneNumber: '123' }] }, 'invalidRequest'],
	])('is surely not sent where EvolutionAPI refuses %s', async (_what, message, code) => {
		const simulator = await simulated();
		expect(await clientOf(simulator).send('phone1', number, message, call)).toMatchObject({ kind: 'notSent', code, tryAgain: 'never' });
		expect(simulator.control.messages()).toEqual([]);
	});
});

describe('the size of a file', () => {
	test.each([['YQ==', 1], ['YWI=', 2], ['YWJj', 3], [`data:text/plain;base64,${base64}`, 12], ['', 0], ['https://files.example/a.png', undefined]])('%j: %p bytes', (media, bytes) => {
		expect(mediaBytes(media)).toBe(bytes);
	});

	test.each(['YWI=', `data:text/plain;base64,${base64}`])('is known of its mark, and a record of it is recognised by the mark alone (%s)', (media) => {
		const mark = markOf(media);
		expect([isMark(mark), isMark(media), mediaBytes(mark)]).toEqual([true, false, mediaBytes(media)]);
		const recorded = { content: contentOf('imageMessage', { imageMessage: { media } }) };
		expect(looksLike(recorded, withMedia(examples.image, mark))).toBe(looksLike(recorded, withMedia(examples.image, media)));
		expect(looksLike(recorded, withMedia(examples.image, markOf('YWJj')))).toBe('no');
	});

	test('is that of the one file that a message has', () => {
		expect(kinds.filter((kind) => mediaOf(examples[kind]) !== undefined)).toEqual(['image', 'video', 'document', 'audio', 'sticker']);
	});
});

describe('a look for messages with files in them', () => {
	const seconds = Math.floor(Date.now() / 1000);
	const row = (id: string, bytes: number) => ({ key: { id, fromMe: true, remoteJid: jid }, messageType: 'imageMessage', message: { imageMessage: { caption: id, media: 'A'.repeat(bytes) } }, messageTimestamp: seconds });

	test('asks for fewer at once when they are too large', async () => {
		const simulator = await simulated();
		simulator.control.addRows({ instance: 'meta1', messages: Array.from({ length: 12 }, (_, index) => row(`M${index}`, 3_000_000)) });
		const found = await clientOf(simulator).ownMessages('meta1', jid, (seconds - 60) * 1000, { timeoutMs: 100_000 });
		expect(new Set(found.map(({ messageId }) => messageId)).size).toBe(12);
		expect(simulator.control.counts().findMessages).toBe(1 + 3);
		expect(found.filter((recorded) => looksLike(recorded, { kind: 'image', media: 'A'.repeat(3_000_000), caption: 'M7' }) === 'yes')).toHaveLength(1);
	}, 120_000);

	test('says so when one alone is too large', async () => {
		const simulator = await simulated();
		simulator.control.addRows({ instance: 'meta1', messages: [row('M', 34_000_000)] });
		await expect(clientOf(simulator).ownMessages('meta1', jid, 0, { timeoutMs: 100_000 })).rejects.toMatchObject({ code: 'answerTooLarge', hint: expect.stringContaining('by their address') });
	}, 120_000);

	test('finds that one is on record, however large', async () => {
		const simulator = await simulated();
		simulator.control.addRows({ instance: 'meta1', messages: [row('LARGE', 6_000_000)] });
		expect(await clientOf(simulator).isOnRecord('meta1', 'LARGE', call)).toBe(true);
		expect(await clientOf(simulator).isOnRecord('meta1', 'ANOTHER', call)).toBe(false);
	});
});

describe('taking a message back', () => {
	async function sent(instance: string): Promise<{ simulator: Simulator; one: EvolutionServer; key: { id: string; remoteJid: string } }> {
		const simulator = await simulated();
		const one = clientOf(simulator);
		const { messageId, remoteJid } = (await one.send(instance, number, examples.text, call)) as { messageId: string; remoteJid: string };
		return { simulator, one, key: { id: messageId, remoteJid } };
	}

	test('works on WhatsApp Web, and is then on record as deleted', async () => {
		const { simulator, one, key } = await sent('phone1');
		expect(cannotDelete('WHATSAPP-BAILEYS')).toBeUndefined();
		expect(await one.deleteForEveryone('phone1', key, call)).toEqual({ kind: 'deleted', statusCode: 201 });
		expect(await one.receiptsOf('phone1', key.id, call)).toContain('deleted');
		expect(simulator.control.log().filter(({ kind }) => kind === 'deletion')).toMatchObject([{ messageId: key.id, instance: 'phone1' }]);
	});

	test.each([['meta1', 'WHATSAPP-BUSINESS'], ['evo1', 'EVOLUTION']])('by %s is refused for its channel', async (instance, channel) => {
		const { simulator, one, key } = await sent(instance);
		expect(cannotDelete(channel)).toEqual({ why: expect.stringContaining("can't take a message back"), remedy: expect.stringMatching(/\.$/) });
		expect(await one.deleteForEveryone(instance, key, call)).toMatchObject({ kind: 'notDeleted', code: 'notOnThisChannel', canNot: 'channel', tryAgain: 'never', statusCode: 400 });
		expect(simulator.control.log().filter(({ kind }) => kind === 'deletion')).toEqual([]);
	});

	test('while the phone is not connected, and from an instance that is not there, is not done, but may be tried again', async () => {
		const { simulator, one, key } = await sent('phone1');
		simulator.control.setInstance('phone1', { state: 'close' });
		const outcome = await one.deleteForEveryone('phone1', key, call);
		expect(outcome).toMatchObject({ kind: 'notDeleted', code: 'notConnected', tryAgain: 'now', statusCode: 500 });
		expect(outcome).not.toHaveProperty('canNot');
		expect(await one.deleteForEveryone('ghost', key, call)).toMatchObject({ kind: 'notDeleted', code: 'instanceNotLoaded' });
		expect(await one.deleteForEveryone('nope', key, call)).toMatchObject({ kind: 'notDeleted', code: 'unknownInstance' });
	});

	test.each([
		['a reset', { kind: 'reset' }],
		['nothing', { kind: 'nonsense', as: 'empty' }],
		['a gateway error', { kind: 'http', status: 502, body: '<html>' }],
		['a failure within', { kind: 'http', status: 500, body: { status: 500, response: { message: ['Error while deleting message for everyone', 'Error: Timed Out'] } } }],
	] as const)('is unknown after %s', async (_what, answer) => {
		const { simulator, one, key } = await sent('phone1');
		simulator.control.addRule({ route: 'deleteMessageForEveryone', answer });
		expect(await one.deleteForEveryone('phone1', key, call)).toMatchObject({ kind: 'unknown', message: expect.any(String) });
	});

	test('is not done where nothing or something else answers, and throws when cancelled', async () => {
		const { simulator, one, key } = await sent('phone1');
		simulator.control.addRule({ route: 'deleteMessageForEveryone', times: 1, answer: { kind: 'nonsense', as: 'html' } });
		expect(await one.deleteForEveryone('phone1', key, call)).toMatchObject({ kind: 'notDeleted', code: 'notEvolutionApi' });
		simulator.control.addRule({ route: 'deleteMessageForEveryone', times: 1, answer: { kind: 'hang' } });
		await expect(one.deleteForEveryone('phone1', key, { ...call, signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ kind: 'cancelled' });
		await simulator.close();
		expect(await one.deleteForEveryone('phone1', key, call)).toMatchObject({ kind: 'notDeleted', code: 'refused' });
	});
});
