// What nodes and credentials may use of the engine; bundled once, so that all nodes share its lanes.
export { CheckFailedError, Engine, notStarted, type OrderedCall, type Origin } from './engine';
export { type Failure, InvalidInputError, OrderedSendError, QueueModeError, unexpected } from './errors';
export { checkWebhookSecrets, toOrderedSend, toRecoveryRequest, type WebhookSecrets } from './orderedSend';
export { mostListed } from './log/list';
export { type TransactionRecord, toRecord } from './log/record';
export { type ChatRequest, type ListRequest, logLabels, toChatRequest, toListRequest, toPruneRequest } from './log/request';
export { pause } from './pause';
export { toResult, whatWasSent } from './result';
export { type Transaction, wasSent } from './transaction';
export { mostShown, type Timeline, timelineOf } from './timeline/timeline';
export { type Settings } from './settings';
export { checkStore, openShared, type SharedLanesTimes, type StoreAccess, storeKey } from './store';
export { type Outcome } from './turns';
export { type Recovered, type RecoveryCall } from './recovery';
export { type Verification } from './verify/verify';
export { type EgressFilter, HttpFailure } from '../evolution/http';
export { only } from '../evolution/only';
export { checkServer, EvolutionError, EvolutionServer, type ServerAccess } from '../evolution/server';
