/**
 * Addresses between this host and an engine in QEMU's user network (slirp): each engine listens on a loopback address
 * of its own, and reaches the host as 10.0.2.2.
 */
import { createHash } from 'node:crypto';
import type { Token } from '../../src/protocol/token.ts';

/**
 * The `attempt`-th loopback address to try for an engine, in 127.64.0.0/10. It follows from job and token, so that
 * two starts of one engine meet; whoever binds it first has it.
 */
export function engineLoopback(jobId: string, token: Token, attempt: number): string {
  const hash = createHash('sha256').update(`${jobId} ${token} ${attempt}`).digest();
  const [a = 0, b = 0, c = 0] = hash;
  return `127.${64 + (a % 64)}.${b}.${1 + (c % 254)}`;
}

/** slirp's alias of the host (QEMU manual, "-netdev user"); what is sent there arrives at 127.0.0.1. */
const HOST_ALIAS = '10.0.2.2';

/**
 * The name under which an engine reaches what this host calls `host`. Loopback addresses other than 127.0.0.1 stay as
 * they are: slirp cannot reach them, and to answer with the alias would send credentials to another service.
 */
export function seenFromEngine(host: string): string {
  const plain = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return plain === 'localhost' || plain === '127.0.0.1' || plain === '::1' ? HOST_ALIAS : host;
}
