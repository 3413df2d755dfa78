// The result of a verification in a sentence or two.
import type { Verification } from './verify';

export function verdictOf(found: Omit<Verification, 'verdict' | 'ok'>): Pick<Verification, 'verdict' | 'ok'> {
	const { inversions, missing, failed, onRecordAfterAll, inDoubt, notes } = found;
	const faults = [
		...count(missing.filter(({ why }) => why === 'notOnRecord').length, "message is not on EvolutionAPI's record", "messages are not on EvolutionAPI's record"),
		...count(missing.filter(({ why }) => why === 'takenBack').length, 'message was taken back', 'messages were taken back'),
		...count(failed.length, 'message was refused by WhatsApp', 'messages were refused by WhatsApp'),
		...count(onRecordAfterAll.length, 'message in doubt is on record after all', 'messages in doubt are on record after all'),
		...count(inDoubt.length, 'message is in doubt', 'messages are in doubt'),
	];
	const remarks = [
		...count(found.foreign.length, 'message is by no transaction', 'messages are by no transaction'),
		...count(found.unconfirmed.length, 'message has not been acknowledged', 'messages have not been acknowledged'),
		...count(found.confirmedLater.length, 'message was acknowledged too late', 'messages were acknowledged too late'),
	];
	const ok = inversions.length === 0 && faults.length === 0 && notes.length === 0;
	return { verdict: [orderSentence(found), ...sentence([...faults, ...remarks])].join(' '), ok };
}

function orderSentence({ counts: { sent, onRecord, pairsTold, pairsUntold }, inversions, moreInversions }: Omit<Verification, 'verdict' | 'ok'>): string {
	if (inversions.length > 0) {
		const pairs = `${moreInversions ? 'more than ' : ''}${inversions.length} ${inversions.length === 1 ? 'pair of messages stands' : 'pairs of messages stand'}`;
		return `NOT in order: ${pairs} on EvolutionAPI's record in the other order than they were sent.`;
	}
	if (sent === 0) return 'No message was sent to this chat in this time.';
	if (onRecord < 2) return `${sent === 1 ? 'One message was' : `${sent} messages were`} sent, so there is no order to compare${onRecord < sent ? ' on record' : ''}.`;
	if (pairsTold === 0) return `${onRecord} messages are on record, but their order can't be told: EvolutionAPI knows whole seconds only, and neighbours are of one second.`;
	const untold = pairsUntold === 0 ? '' : ` Of ${pairsUntold} of ${pairsTold + pairsUntold} neighbouring pairs it can't be told, since EvolutionAPI knows whole seconds only.`;
	return `In order: EvolutionAPI's record has ${onRecord} messages as they were sent.${untold}`;
}

function count(number: number, one: string, several: string): string[] {
	return number === 0 ? [] : [`${number} ${number === 1 ? one : several}`];
}

function sentence(parts: string[]): string[] {
	return parts.length === 0 ? [] : [`${parts.join('; ')}.`];
}
