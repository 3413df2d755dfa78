// "Draw a Timeline": a chat's or one transaction's history as a picture.
import type { IDataObject, IExecuteFunctions } from 'n8n-workflow';
import { OrderedSendError, type Timeline, timelineOf, type Transaction } from '../../../ordering';
import { withEngine } from '../../engine';
import { readStore } from '../../shared/store';
import { chatFields, readChatRequest } from './chat';
import { type Given, type Operation, readRecoveryCall, transactionIdField, transactionIdOf } from './operation';

export const timeline: Operation = {
	option: {
		name: 'Draw a Timeline',
		value: 'timeline',
		action: 'Draw a timeline',
		description: 'Get a picture of what happened when in a chat. Nothing is sent or changed.',
	},
	fields: [
		{
			displayName: 'Timeline Of',
			name: 'timelineOf',
			type: 'options',
			default: 'chat',
			displayOptions: { show: { operation: ['timeline'] } },
			description: 'What to draw. Of a chat with more than 500 transactions in the time, the newest 500 are drawn; timeline.png shows as many of them as fit.',
			options: [
				{ name: 'A Chat', value: 'chat', description: 'All transactions with one person or group' },
				{ name: 'A Transaction', value: 'transaction', description: 'One transaction alone' },
			],
		},
		transactionIdField('timeline', { timelineOf: ['transaction'] }),
		...chatFields('timeline', { timelineOf: ['chat'] }),
		{
			displayName: 'To see the picture, open Binary in the output and press View on timeline.png. The files timeline.svg and timeline.html show the same in a browser, or as the answer of a Respond to Webhook node; the numbers are in the JSON.',
			name: 'timelineNotice',
			type: 'notice',
			default: '',
			displayOptions: { show: { operation: ['timeline'] } },
		},
	],
	async prepare(this: IExecuteFunctions, i: number) {
		const store = await readStore(this, i);
		const { title, read } = await (this.getNodeParameter('timelineOf', i, 'chat') === 'transaction' ? ofTransaction : ofChat).call(this, i);
		return async () => {
			const transactions = await withEngine(store, read);
			return [await toGiven.call(this, timelineOf(transactions, { title, timeZone: this.getTimezone(), now: Date.now() }))];
		};
	},
};

interface Source {
	title: string;
	read: (engine: Parameters<Parameters<typeof withEngine>[1]>[0]) => Promise<Transaction[]>;
}

async function ofTransaction(this: IExecuteFunctions, i: number): Promise<Source> {
	const call = await readRecoveryCall.call(this, i);
	const id = transactionIdOf(call);
	return { title: `Transaction ${id}`, read: async (engine) => [await engine.get(call.access, id)] };
}

async function ofChat(this: IExecuteFunctions, i: number): Promise<Source> {
	const request = await readChatRequest.call(this, i);
	return { title: `Chat with ${request.recipient.number}`, read: (engine) => engine.listChat(request) };
}

async function toGiven(this: IExecuteFunctions, { svg, page, picture, summary }: Timeline): Promise<Given> {
	const png = await picture().catch((error: Error) => withoutPicture.call(this, error));
	return {
		json: summary as unknown as IDataObject,
		binary: {
			// the first, since it is the one that n8n shows
			...(png && { picture: await this.helpers.prepareBinaryData(png, 'timeline.png', 'image/png') }),
			timeline: await this.helpers.prepareBinaryData(Buffer.from(svg), 'timeline.svg', 'image/svg+xml'),
			page: await this.helpers.prepareBinaryData(Buffer.from(page), 'timeline.html', 'text/html'),
		},
	};
}

/** The other two files show the same, so the workflow goes on with them. */
function withoutPicture(this: IExecuteFunctions, error: Error): undefined {
	const { message, hint } = error instanceof OrderedSendError ? error.failure : { message: error.message };
	this.addExecutionHints({ message: hint ? `${message}. ${hint}` : message, type: 'warning', location: 'outputPane' });
}
