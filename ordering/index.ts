// What nodes and credentials may use of the engine; bundled once, so that all nodes share its lanes.
export { CheckFailedError, Engine, notStarted, type OrderedCall, type Origin, type Outcome, unexpected } from './engine';
export { type Failure, InvalidInputError, OrderedSendError, QueueModeError } from './errors';
export { checkWebhookSecrets, labels, type OrderedSend, toOrderedSend, type WebhookSecrets } from './orderedSend';
export { pause } from './pause';
export { type TransactionResult, toResult, whatWasSent } from './result';
export { wasSent } from './transaction';
export { defaultSettings, type Settings } from './settings';
export { type EgressFilter, HttpFailure } from '../evolution/http';
export { only } from '../evolution/only';
export { checkServer, EvolutionError, EvolutionServer, type ServerAccess } from '../evolution/server';
