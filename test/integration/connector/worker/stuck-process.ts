/** A worker that hangs in a file call which never returns: it opens a FIFO that nobody writes to. Argument: its path. */
import { open } from 'node:fs/promises';
import { processChannel } from '../../../../src/connector/worker/process-channel.ts';

processChannel();
void open(process.argv[2] ?? '', 'r');
process.send?.('hangs');
