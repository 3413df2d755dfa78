// A joined item as n8n has it: its JSON, and the files of its messages.
import type { IBinaryKeyData, IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import type { Engine, Joined } from '../../ordering';

/** Makes n8n's items; where that fails, the turns are put back, so that nothing is lost. `i` is the input item of each. */
export async function toItems(this: IExecuteFunctions, buffer: Engine['buffer'], all: Array<{ item: Joined; i: number }>): Promise<INodeExecutionData[]> {
	try {
		const items: INodeExecutionData[] = [];
		for (const { item, i } of all) items.push(await toItem.call(this, item, i));
		return items;
	} catch (error) {
		await Promise.allSettled(all.map(({ item }) => buffer.putBack(item.turnId)));
		return Promise.reject(error as Error);
	}
}

async function toItem(this: IExecuteFunctions, joined: Joined, i: number): Promise<INodeExecutionData> {
	const binary: IBinaryKeyData = {};
	const messages: IDataObject[] = [];
	for (const { id, text, type, at, media, fromMe, pushName, redelivered, original, files } of joined.messages) {
		const names: string[] = [];
		for (const [name, { data, mimeType, fileName }] of Object.entries(files ?? {})) {
			const free = freeName(name, binary);
			binary[free] = await this.helpers.prepareBinaryData(Buffer.from(data, 'base64'), fileName, mimeType);
			names.push(free);
		}
		messages.push({ id, text, type, sentAt: new Date(at).toISOString(), media, fromMe, ...(pushName ? { pushName } : {}), redelivered, ...(names.length > 0 ? { files: names } : {}), original: original as IDataObject });
	}
	const pushName = joined.messages.findLast((message) => message.pushName && !message.fromMe)?.pushName;
	return {
		json: {
			turnId: joined.turnId,
			text: joined.text,
			count: messages.length,
			because: joined.because,
			redelivered: joined.redelivered,
			chat: { ...joined.chat },
			...(pushName ? { pushName } : {}),
			firstAt: messages[0]?.sentAt,
			lastAt: messages.at(-1)?.sentAt,
			messages,
		},
		...(Object.keys(binary).length > 0 ? { binary } : {}),
		pairedItem: { item: i },
	};
}

/** `data`, `data_2` and so on: two messages may have a file of one name. */
function freeName(name: string, taken: IBinaryKeyData): string {
	if (!(name in taken)) return name;
	let number = 2;
	while (`${name}_${number}` in taken) number += 1;
	return `${name}_${number}`;
}
