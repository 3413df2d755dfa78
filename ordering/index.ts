// What nodes and credentials may use of the engine; bundled once, so that all nodes share its lanes.
export { CheckFailedError, Engine, notStarted, type OrderedCall, type Origin, type Outcome, unexpected } from './engine';
export { type Failure, OrderedSendError, QueueModeError } from './errors';
export { checkWebhookSecrets, toOrderedSend, type WebhookSecrets } from './orderedSend';
export { pause } from './pause';
export { toResult, whatWasSent } from './result';
export { wasSent } from './transaction';
export { type Settings } from './settings';
export { type EgressFilter, HttpFailure } from '../evolution/http';
export { only } from '../evolution/only';
export { checkServer, EvolutionError, EvolutionServer, type ServerAccess } from '../evolution/server';
