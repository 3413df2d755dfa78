// Every message route of the simulator: its checks, what it answers on each channel, and what is then on record. Recorded
// requests are replayed in captures.test.ts; what stands here was read in EvolutionAPI's source.

import { ask, live, next, started } from './helpers';

const NUMBER = '5511988887777';
const JID = `${NUMBER}@s.whatsapp.net`;
const FILE = Buffer.from('a small file').toString('base64');

interface Sent {
	key: { id: string; remoteJid: string };
	message: Record<string, unknown>;
	messageType: string;
	response: { message: unknown };
}

const send = (simulator: Awaited<ReturnType<typeof started>>, route: string, instance: string, body: Record<string, unknown>) =>
	ask<Sent>(simulator, `/message/${route}/${instance}`, { body: { number: NUMBER, ...body } });

const uploaded = { url: expect.stringMatching(/^https:\/\/mmg\.whatsapp\.net/), directPath: expect.any(String) };
const list = { title: 'T', description: 'D', buttonText: 'Open', footerText: 'F', sections: [{ title: 'S', rows: [{ title: 'R', description: 'd', rowId: 'r1' }] }] };
const buttons = { title: 'T', description: 'D', buttons: [{ type: 'reply', displayText: 'Yes', id: '1' }] };
const ana = { fullName: 'Ana', wuid: '5511977776666', phoneNumber: '5511977776666' };
const card = { displayName: 'Ana', vcard: expect.stringContaining('TEL;waid=5511977776666:5511977776666') };

describe('a message is answered and stored as its channel does', () => {
	it.each<[string, string, Record<string, unknown>, string, Record<string, unknown>]>([
		['meta1', 'sendMedia', { mediatype: 'video', media: FILE, fileName: 'a.mp4' }, 'videoMessage', { videoMessage: expect.objectContaining({ media: FILE, type: 'id', fileName: 'a.mp4', mimetype: 'video/mp4' }) }],
		['meta1', 'sendMedia', { mediatype: 'document', media: 'https://files.example/a.pdf' }, 'documentMessage', { documentMessage: expect.objectContaining({ fileName: 'a', type: 'link', mimetype: 'application/pdf' }) }],
		['meta1', 'sendWhatsAppAudio', { audio: 'https://files.example/a.mp3' }, 'audioMessage', { audioMessage: expect.objectContaining({ mediaType: 'audio', media: 'https://files.example/a.mp3', fileName: expect.stringMatching(/^5511988887777-\d+\.mp3$/) }) }],
		['meta1', 'sendButtons', buttons, 'conversation', { conversation: 'T\n▶️ Yes\n' }],
		['meta1', 'sendTemplate', { name: 'order_update', language: 'pt_BR' }, 'conversation', { conversation: '▶️order_update◀️' }],
		['meta1', 'sendContact', { contact: [ana, { ...ana, fullName: 'Bo' }] }, 'conversation', { contactsArrayMessage: { displayName: '2 contacts', contacts: [card, { ...card, displayName: 'Bo' }] } }],
		['meta1', 'sendText', { text: 'x', quoted: { key: { id: 'Q' } } }, 'conversation', { conversation: 'x', contextInfo: { stanzaId: 'Q' } }],
		['phone1', 'sendMedia', { mediatype: 'image', media: FILE, caption: 'pic', fileName: 'a.png' }, 'imageMessage', { imageMessage: { ...uploaded, caption: 'pic', mimetype: 'image/png' } }],
		['phone1', 'sendMedia', { mediatype: 'document', media: FILE, fileName: 'a.pdf' }, 'documentMessage', { documentMessage: { ...uploaded, fileName: 'a.pdf', mimetype: 'application/pdf' } }],
		['phone1', 'sendWhatsAppAudio', { audio: FILE }, 'audioMessage', { audioMessage: { ...uploaded, mimetype: 'audio/ogg; codecs=opus', seconds: 1, ptt: true } }],
		['phone1', 'sendSticker', { sticker: 'https://files.example/a.webp' }, 'stickerMessage', { stickerMessage: { ...uploaded, mimetype: 'image/webp' } }],
		['phone1', 'sendLocation', { name: 'Shop', address: 'Street 1', latitude: 1, longitude: 2 }, 'locationMessage', { locationMessage: { degreesLatitude: 1, degreesLongitude: 2, name: 'Shop', address: 'Street 1' } }],
		['phone1', 'sendContact', { contact: [ana] }, 'contactMessage', { contactMessage: card }],
		['phone1', 'sendReaction', { key: { id: 'M', remoteJid: JID, fromMe: true }, reaction: '👍' }, 'reactionMessage', { reactionMessage: { key: { id: 'M', remoteJid: JID, fromMe: true }, text: '👍', senderTimestampMs: expect.any(String) } }],
		['phone1', 'sendPoll', { name: 'Q', selectableCount: 1, values: ['a', 'b'] }, 'pollCreationMessageV3', { pollCreationMessageV3: { name: 'Q', options: [{ optionName: 'a' }, { optionName: 'b' }], selectableOptionsCount: 1 } }],
		['phone1', 'sendPoll', { name: 'Q', selectableCount: 0, values: ['a', 'b'] }, 'pollCreationMessage', { pollCreationMessage: expect.objectContaining({ selectableOptionsCount: 0 }) }],
		['phone1', 'sendList', list, 'listMessage', { listMessage: { ...list, listType: 'SINGLE_SELECT' } }],
		['phone1', 'sendButtons', buttons, 'viewOnceMessage', { viewOnceMessage: { message: { interactiveMessage: expect.objectContaining({ body: { text: '*T*\n\nD\n' } }) } } }],
		['evo1', 'sendMedia', { mediatype: 'image', media: 'https://files.example/a.png', caption: 'is lost' }, 'imageMessage', { mediaUrl: 'https://files.example/a.png' }],
		['evo1', 'sendMedia', { mediatype: 'document', media: FILE, fileName: 'a.pdf' }, 'documentMessage', { mediaUrl: null }],
		['evo1', 'sendText', { text: 'x', quoted: { key: { id: 'Q' } } }, 'conversation', { conversation: 'x', quoted: { id: 'Q' } }],
	])('%s %s %j', async (instance, route, body, messageType, message) => {
		const simulator = await started();
		const reply = await send(simulator, route, instance, body);
		expect(reply).toMatchObject({ status: 201, body: { messageType } });
		expect(reply.body.message).toEqual(message);
		const { body: found } = await ask<{ messages: { records: Sent[] } }>(simulator, `/chat/findMessages/${instance}`, { body: { where: { key: { id: reply.body.key.id } } } });
		expect(found.messages.records).toEqual([expect.objectContaining({ messageType, message: reply.body.message })]);
		expect(simulator.control.messages()).toMatchObject([{ type: route, instance, messageId: reply.body.key.id }]);
	});
});

describe('what is wrong with a body is told in the words of the schema', () => {
	it.each<[string, Record<string, unknown>, string[]]>([
		['sendMedia', { mediatype: 'gif', media: FILE }, ['mediatype is not one of enum values: image,document,video,audio']],
		['sendMedia', { media: FILE }, ['instance requires property "mediatype"']],
		['sendWhatsAppAudio', { audio: 5 }, ['audio is not of a type(s) string']],
		['sendLocation', { latitude: '1', longitude: 2 }, ['instance requires property "name"', 'instance requires property "address"', 'latitude is not of a type(s) number']],
		['sendContact', { contact: [] }, ['contact does not meet minimum length of 1']],
		['sendContact', { contact: [{ fullName: 'A' }] }, ['contact[0] requires property "phoneNumber"']],
		['sendContact', { contact: [ana, { fullName: 'A', phoneNumber: '123' }] }, ['contact[1].phoneNumber does not meet minimum length of 10']],
		['sendReaction', { key: { id: 'M', fromMe: true }, reaction: '👍' }, ['key requires property "remoteJid"']],
		['sendPoll', { name: 'Q', selectableCount: 11, values: ['a', 'a'] }, ['selectableCount must be less than or equal to 10', 'values contains duplicate item']],
		['sendPoll', { name: 'Q', selectableCount: 1.5, values: ['a'] }, ['selectableCount is not of a type(s) integer', 'values does not meet minimum length of 2']],
		['sendPoll', { name: 'Q', selectableCount: -1, values: [...'abcdefghijk'] }, ['selectableCount must be greater than or equal to 0', 'values does not meet maximum length of 10']],
		['sendList', { ...list, sections: [{ title: 'S', rows: [] }] }, ['sections[0].rows does not meet minimum length of 1']],
		['sendList', { ...list, sections: [{ title: 'S', rows: [{ title: 'R' }] }] }, ['sections[0].rows[0] requires property "rowId"']],
		['sendButtons', { buttons: [{ type: 'link' }] }, ['buttons[0].type is not one of enum values: reply,copy,url,call,pix']],
		['sendTemplate', { name: 'x', components: {} }, ['instance requires property "language"', 'components is not of a type(s) array']],
		['sendSticker', { sticker: FILE, delay: 1.5 }, ['Enter a value in milliseconds']],
	])('%s %j', async (route, body, problems) => {
		const simulator = await started();
		const reply = await send(simulator, route, 'phone1', body);
		expect(reply).toMatchObject({ status: 400, body: { response: { message: [problems] } } });
		expect(simulator.control.messages()).toEqual([]);
	});

	it.each<[string, Record<string, unknown>, string]>([
		['sendMedia', { mediatype: 'image' }, 'Owned media must be a url or base64'],
		['sendMedia', { mediatype: 'image', media: 'http://minio:9000/a.png' }, 'Owned media must be a url or base64'],
		['sendMedia', { mediatype: 'image', media: `data:image/png;base64,${FILE}` }, 'Owned media must be a url or base64'],
		['sendMedia', { mediatype: 'document', media: FILE }, 'For base64 the file name must be informed.'],
		['sendWhatsAppAudio', { audio: 'x' }, 'Owned media must be a url, base64, or valid file with buffer'],
		['sendSticker', {}, 'Owned media must be a url or base64'],
		['sendReaction', { key: { id: 'M', remoteJid: JID, fromMe: true }, reaction: '' }, '"reaction" must be an emoji'],
	])('or of the controller, which does not look for the instance: %s %j', async (route, body, problem) => {
		const simulator = await started();
		for (const instance of ['phone1', 'ghost']) expect(await send(simulator, route, instance, body)).toMatchObject({ status: 400, body: { response: { message: [problem] } } });
	});
});

it.each(['http://127.0.0.1:9000/a.png', 'https://user:pw@files.example:8443/a.png?b=c', FILE])('a file may be %s', async (media) => {
	const simulator = await started();
	expect((await send(simulator, 'sendMedia', 'meta1', { mediatype: 'image', media })).status).toBe(201);
});

it('what a channel lacks is refused in its own way', async () => {
	const simulator = await started();
	const template = { name: 'x', language: 'en_US' };
	expect(await send(simulator, 'sendTemplate', 'phone1', template)).toMatchObject({ status: 500, body: { response: { message: 'Method not available in the Baileys service' } } });
	expect(await send(simulator, 'sendTemplate', 'evo1', template)).toMatchObject({ status: 400, body: { response: { message: ['Method not available on Evolution Channel'] } } });
	expect(await send(simulator, 'sendSticker', 'meta1', { sticker: FILE })).toMatchObject({ status: 400, body: { response: { message: ['Method not available on WhatsApp Business API'] } } });
	expect(await send(simulator, 'sendWhatsAppAudio', 'evo1', { audio: FILE })).toMatchObject({ status: 500, body: { response: { message: 'File or buffer is undefined.' } } });
	expect(await send(simulator, 'sendTemplate', 'ghost', template)).toMatchObject({ status: 500, body: { response: { message: "Cannot read properties of undefined (reading 'templateMessage')" } } });
});

it('a NUL character in any text makes the insert fail, after the message went out', async () => {
	const simulator = await started();
	const values = ['a', 'b\u0000'];
	expect(await send(simulator, 'sendPoll', 'phone1', { name: 'Q', selectableCount: 1, values })).toMatchObject({ status: 400, body: { response: { message: ['DriverAdapterError: unsupported Unicode escape sequence'] } } });
	expect(await send(simulator, 'sendPoll', 'phone1', { name: '\\u0000', selectableCount: 1, values: ['a', 'b'] })).toMatchObject({ status: 201 });
	expect(simulator.control.messages()).toHaveLength(2);
});

it('WhatsApp Web shows no typing before a contact and a reaction', async () => {
	const simulator = await started();
	const before = Date.now();
	await send(simulator, 'sendContact', 'phone1', { contact: [ana], delay: 3000 });
	await send(simulator, 'sendReaction', 'phone1', { key: { id: 'M', remoteJid: JID, fromMe: true }, reaction: '👍', delay: 3000 });
	expect(Date.now() - before).toBeLessThan(1500);
	await send(simulator, 'sendLocation', 'phone1', { name: '', address: '', latitude: 1, longitude: 2, delay: 300 });
	expect(Date.now() - before).toBeGreaterThanOrEqual(295);
});

describe('a message that is taken back', () => {
	it('is marked on record, and told as messages.delete', async () => {
		const simulator = await started();
		await ask(simulator, '/websocket/set/phone1', { body: { websocket: { enabled: true, events: ['SEND_MESSAGE', 'MESSAGES_DELETE'] } } });
		const { key } = (await send(simulator, 'sendText', 'phone1', { text: 'x' })).body;
		const socket = live(simulator, '/phone1');
		await next(socket, 'connect');
		const told = next<{ data: { key: { id: string }; status: string } }>(socket, 'messages.delete');
		await ask(simulator, '/chat/deleteMessageForEveryone/phone1', { method: 'DELETE', body: { ...key, fromMe: true } });
		expect((await told).data).toMatchObject({ key: { id: key.id, deleted: true }, status: 'DELETED' });
		const { body } = await ask<{ messages: { records: unknown[] } }>(simulator, '/chat/findMessages/phone1', { body: { where: { key: { id: key.id } } } });
		expect(body.messages.records).toMatchObject([{ key: { deleted: true }, MessageUpdate: expect.arrayContaining([{ status: 'DELETED' }]) }]);
	});

	it('need not be on record', async () => {
		const simulator = await started();
		expect((await ask(simulator, '/chat/deleteMessageForEveryone/phone1', { method: 'DELETE', body: { id: 'X', remoteJid: JID, fromMe: true } })).status).toBe(201);
		expect(simulator.control.log()).toMatchObject([{ kind: 'deletion', messageId: 'X' }]);
	});

	it('can\'t be while the phone is not connected', async () => {
		const simulator = await started();
		expect(await ask(simulator, '/chat/deleteMessageForEveryone/baileys1', { method: 'DELETE', body: { id: 'X', remoteJid: JID, fromMe: true } }))
			.toMatchObject({ status: 500, body: { response: { message: ['Error while deleting message for everyone', expect.stringContaining("(reading 'sendMessage')")] } } });
		expect(simulator.control.log()).toEqual([]);
	});
});
