// The buffer within one process, on SQLite.
import { bufferContract } from './contract';
import { sqlitePlace } from './place';

bufferContract('SQLite', sqlitePlace);
