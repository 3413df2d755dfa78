// The earlier name of the waits for receipts, until the engine uses the new one.
export { ReceiptWaits as ReceiptPoller } from './waits';
