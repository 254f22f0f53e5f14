/** Loaded into a process beforehand: a file call that never returns, of a FIFO (IPS_TEST_FIFO) that nobody writes to. */
import { open } from 'node:fs/promises';

void open(process.env.IPS_TEST_FIFO ?? '', 'r');
