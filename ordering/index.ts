// What nodes and credentials may use of the engine; bundled once, so that all nodes share its lanes.
export { CheckFailedError, Engine, notStarted, type OrderedCall, type Origin, type Outcome } from './engine';
export { type Failure, InvalidInputError, OrderedSendError, QueueModeError } from './errors';
export { labels, type OrderedSend, toOrderedSend, type WebhookSecrets } from './orderedSend';
export { type TransactionResult, toResult, whatWasSent } from './result';
export { defaultSettings, type Settings } from './settings';
export { shownUrl, type EgressFilter } from '../evolution/http';
export { checkServer, EvolutionError, EvolutionServer, type ServerAccess } from '../evolution/server';
export { HttpFailure } from '../evolution/http';
