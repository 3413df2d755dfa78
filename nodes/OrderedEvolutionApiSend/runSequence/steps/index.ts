// All fields of one step, in the order in which the panel shows them: its kind, its content, when it is done, the rest.
import type { INodeProperties } from 'n8n-workflow';
import { buttonsFields } from './buttons';
import { contactFields } from './contact';
import { headingFields } from './headings';
import { kindField } from './kinds';
import { listFields } from './list';
import { locationFields } from './location';
import { mediaFields } from './media';
import { moreFields } from './more';
import { pollFields } from './poll';
import { reactionFields } from './reaction';
import { templateFields } from './template';
import { textFields } from './text';
import { waitingFields } from './waiting';
import { webhookFields } from './webhook';

export const stepFields: INodeProperties[] = [
	kindField,
	...textFields,
	...mediaFields,
	...locationFields,
	...contactFields,
	...pollFields,
	...headingFields,
	...listFields,
	...buttonsFields,
	...reactionFields,
	...templateFields,
	...webhookFields,
	...waitingFields,
	...moreFields,
];
