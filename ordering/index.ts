// What nodes and credentials may use of the engine; bundled once, so that all nodes share its lanes.
export { type Collected, type Delivery } from './buffer/buffer';
export { type Joined } from './buffer/joined';
export { type StoredFile, toIncomingMessage, toJoinRules, toTakeOverRules, toTurnId } from './buffer/message';
export { CheckFailedError, Engine, notStarted, type OrderedCall, type Origin } from './engine';
export { type Failure, InvalidInputError, OrderedSendError, QueueModeError, unexpected } from './errors';
export { checkWebhookSecrets, toOrderedSend, toRecoveryRequest, type WebhookSecrets } from './orderedSend';
export { pause } from './pause';
export { toResult, whatWasSent } from './result';
export { wasSent } from './transaction';
export { type Settings } from './settings';
export { checkStore, openShared, type SharedLanesTimes, type StoreAccess, storeKey } from './store';
export { type Outcome } from './turns';
export { type Recovered, type RecoveryCall } from './recovery';
export { type EgressFilter, HttpFailure } from '../evolution/http';
export { only } from '../evolution/only';
export { checkServer, EvolutionError, EvolutionServer, type ServerAccess } from '../evolution/server';
