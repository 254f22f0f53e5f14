/**
 * What the daemon says of its own health, in a file that `ips-connector status` reads: whether the link is up, and if
 * not, why, and when it is tried again. Times are wall-clock and for people.
 */
import { z } from 'zod';
import type { Clock } from '../lib/clock.ts';
import { type Files, readIfThere } from '../lib/files.ts';
import type { Logger } from '../lib/logging.ts';
import type { ErrorReport } from '../protocol/errors.ts';
import { errorReportSchema } from '../protocol/job.ts';
import type { StatePaths } from './state-folder.ts';

const linkHealthSchema = z.discriminatedUnion('state', [
  z.object({ state: z.literal('connecting'), since: z.string() }),
  z.object({ state: z.literal('up'), since: z.string() }),
  z.object({ state: z.literal('down'), since: z.string(), error: errorReportSchema, nextTryAt: z.string() }),
]);
const healthSchema = z.object({ pid: z.int(), version: z.string(), startedAt: z.string(), link: linkHealthSchema });
export type Health = z.infer<typeof healthSchema>;
export type LinkHealth = z.infer<typeof linkHealthSchema>;

export class HealthFile {
  readonly #path: string;
  readonly #tools: { files: Files; clock: Clock; log: Logger };
  readonly #start: Omit<Health, 'link'>;
  #link: LinkHealth;
  #writing: Promise<void> = Promise.resolve();

  constructor(paths: StatePaths, version: string, tools: { files: Files; clock: Clock; log: Logger }) {
    this.#path = paths.health;
    this.#tools = tools;
    const now = tools.clock.wall().toISOString();
    this.#start = { pid: process.pid, version, startedAt: now };
    this.#link = { state: 'connecting', since: now };
    this.#write();
  }

  linkUp(): void {
    this.#link = { state: 'up', since: this.#tools.clock.wall().toISOString() };
    this.#write();
  }

  /** @param nextTryMs milliseconds until the next try */
  linkDown(error: ErrorReport, nextTryMs: number): void {
    const now = this.#tools.clock.wall();
    const since = this.#link.state === 'down' ? this.#link.since : now.toISOString();
    const nextTryAt = new Date(now.getTime() + nextTryMs).toISOString();
    this.#link = { state: 'down', since, error, nextTryAt };
    this.#write();
  }

  /** Resolves when the file says the latest. */
  async written(): Promise<void> {
    await this.#writing;
  }

  /** One write after the other; a file that cannot be written is no reason to stop working. */
  #write(): void {
    const text = `${JSON.stringify({ ...this.#start, link: this.#link }, undefined, 2)}\n`;
    this.#writing = this.#writing.then(async () => {
      try {
        await this.#tools.files.writeDurably(this.#path, text);
      } catch (error) {
        this.#tools.log.warn('the health file could not be written', { error });
      }
    });
  }
}

/** What the daemon said last, or undefined when it never did. */
export async function readHealth(paths: StatePaths): Promise<Health | undefined> {
  const text = await readIfThere(paths.health);
  if (text === undefined) return undefined;
  try {
    return healthSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
