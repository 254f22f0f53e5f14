/**
 * What every provider must do, on whatever platform: the contract's promises as tests. A platform's own test file calls
 * `providerConformance` with a way to set one up; the engine image there may be a stand-in that only has to run.
 */
import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Provider, ProviderContext } from '../../../providers/contract.ts';
import { createLogger } from '../../../src/lib/logging.ts';
import { type ErrorCode, isIpsError } from '../../../src/protocol/errors.ts';
import type { JobParameters } from '../../../src/protocol/job.ts';
import { MemoryLedger } from './memory-ledger.ts';

export interface Subject {
  /** As a process would create it: two of them share nothing but the platform and the state folder. */
  createProvider(): Provider;
  /** A source that is there. */
  parameters: JobParameters;
  /** Sources that are not, each with the code of the refusal. */
  notHere: { parameters: JobParameters; code: ErrorCode }[];
  userData: Buffer;
  /** Ends whatever the platform stand-in still runs. */
  close(): Promise<void>;
}

export const silentLog = createLogger({ program: 'test', level: 'emerg', format: 'json' });
const never = new AbortController().signal;

/** The context of a new job, with a ledger of its own. Jobs of one name would meet on the platform. */
export function newContext(): ProviderContext & { ledger: MemoryLedger } {
  const jobId = `job-${randomUUID().slice(-12)}`;
  return { jobId, token: '1.1', connectorId: 'connector-test', ledger: new MemoryLedger(), log: silentLog };
}

/** The error that a promise fails with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return isIpsError(error) ? error.code : `no IpsError: ${String(error)}`;
  }
  return 'no error';
}

export function providerConformance(name: string, setUp: () => Promise<Subject>): void {
  describe(`the provider ${name} keeps the contract`, () => {
    let subject: Subject;
    let provider: Provider;
    let context: ProviderContext & { ledger: MemoryLedger };
    const start = (by = provider) =>
      by.startEngine({ parameters: subject.parameters, userData: subject.userData }, context, never);
    const engines = async () =>
      (await provider.list(never)).filter((each) => each.jobId === context.jobId).map(({ platformId }) => platformId);

    beforeEach(async () => {
      subject = await setUp();
      provider = subject.createProvider();
      context = newContext();
    });
    afterEach(async () => {
      context.ledger.interfere = () => undefined;
      await provider.teardown(context, never);
      await subject.close();
    });

    it('claims what it can serve', async () => {
      await provider.claim(subject.parameters, never);
    });

    it('declines what it cannot serve, by its code', async () => {
      expect(subject.notHere.length).toBeGreaterThan(0);
      for (const { parameters, code } of subject.notHere) {
        expect(await codeOf(provider.claim(parameters, never))).toBe(code);
      }
    });

    it('looks without making anything', async () => {
      const findings = await provider.preflight(subject.parameters, context, never);
      expect(findings.filter(({ severity }) => severity === 'critical')).toEqual([]);
      const view = await provider.describeSource(subject.parameters, context, never);
      expect(view.virtualSize).toBeGreaterThan(0);
      expect(view.dataBytes).toBeLessThanOrEqual(view.virtualSize);
      expect(context.ledger.rows).toEqual([]);
      expect(await provider.list(never)).toEqual([]);
    });

    it('tells where the engine is and that it runs, and nothing before', async () => {
      expect(await provider.engineAlive(context, never)).toBe(false);
      expect(await provider.engineAddress(context, never)).toBeUndefined();
      await start();
      expect(await provider.engineAlive(context, never)).toBe(true);
      expect((await provider.engineAddress(context, never))?.port).toBeGreaterThan(0);
    });

    it('starts one engine however often it is asked, also by another process', async () => {
      await start();
      const first = await engines();
      await start();
      await start(subject.createProvider());
      expect(await engines()).toEqual(first);
    });

    it('has every resource in the ledger as made, with what removes it by hand', async () => {
      await start();
      const rows = context.ledger.open();
      expect(rows.length).toBeGreaterThan(0);
      for (const row of rows) expect(row).toMatchObject({ state: 'made', removeWith: expect.any(String) });
      expect(rows.map(({ platformId }) => platformId).sort()).toEqual((await engines()).sort());
    });

    it('makes nothing that the ledger could not take', async () => {
      const kinds = await kindsOf(provider, context, start);
      for (const kind of kinds) {
        context = newContext();
        context.ledger.interfere = (change, of) => {
          if (change === 'intent' && of === kind) throw new Error('no space left on device');
        };
        await expect(start()).rejects.toThrow('no space left');
        const known = context.ledger.open().map(({ name: row, kind: of }) => `${of} ${row}`);
        const there = (await provider.list(never)).map(({ name: row, kind: of }) => `${of} ${row}`);
        expect(known).toEqual(expect.arrayContaining(there));
        expect(there.some((each) => each.startsWith(`${kind} `))).toBe(false);
        await provider.teardown(context, never);
      }
    });

    it('finds again what was made right before a crash', async () => {
      const kinds = await kindsOf(provider, context, start);
      for (const kind of kinds) {
        context = newContext();
        context.ledger.interfere = (change, of) => {
          if (change === 'made' && of === kind) throw new Error('killed');
        };
        await expect(start()).rejects.toThrow('killed');
        context.ledger.interfere = () => undefined;
        const before = await engines();
        await start(subject.createProvider());
        const after = await engines();
        expect(after).toEqual(expect.arrayContaining(before));
        expect(context.ledger.open().every(({ state }) => state === 'made')).toBe(true);
        expect(after).toHaveLength(context.ledger.open().length);
        await provider.teardown(context, never);
      }
    });

    it('tears down what was made right before a crash', async () => {
      const kinds = await kindsOf(provider, context, start);
      for (const kind of kinds) {
        context = newContext();
        context.ledger.interfere = (change, of) => {
          if (change === 'made' && of === kind) throw new Error('killed');
        };
        await expect(start()).rejects.toThrow('killed');
        context.ledger.interfere = () => undefined;
        await subject.createProvider().teardown(context, never);
        expect(context.ledger.open()).toEqual([]);
        expect(await provider.list(never)).toEqual([]);
      }
    });

    it('tears down in reverse order, twice without complaint, and leaves nothing', async () => {
      await start();
      const order: string[] = [];
      context.ledger.interfere = (change, kind) => {
        if (change === 'gone') order.push(kind);
      };
      const made = context.ledger.open().map(({ kind }) => kind);
      await provider.teardown(context, never);
      expect(order).toEqual(made.reverse());
      await provider.teardown(context, never);
      expect(context.ledger.open()).toEqual([]);
      expect(await provider.list(never)).toEqual([]);
      expect(await provider.engineAlive(context, never)).toBe(false);
    });

    it('tears down without an engine as well', async () => {
      await provider.teardown(context, never);
      expect(context.ledger.rows).toEqual([]);
    });

    it('leaves the engines of other jobs alone', async () => {
      await start();
      const other = newContext();
      await provider.startEngine({ parameters: subject.parameters, userData: subject.userData }, other, never);
      await provider.teardown(other, never);
      expect(await provider.engineAlive(context, never)).toBe(true);
    });

    it('takes the user data away more than once without complaint', async () => {
      await start();
      await provider.removeUserData(context, never);
      await provider.removeUserData(context, never);
      expect(await provider.engineAlive(context, never)).toBe(true);
    });

    it('gives a console, empty where there is none', async () => {
      expect(await provider.console(context, never)).toBe('');
      await start();
      expect(typeof (await provider.console(context, never))).toBe('string');
    });

    it('has in the ledger what a start that was given up half-way has made, and removes it', async () => {
      const kinds = await kindsOf(provider, context, start);
      for (const kind of kinds) {
        context = newContext();
        const caller = new AbortController();
        let over = false;
        const started = codeOf(
          provider.startEngine({ parameters: subject.parameters, userData: subject.userData }, context, caller.signal),
        ).finally(() => {
          over = true;
        });
        while (!over && !(await provider.list(never)).some((each) => each.kind === kind));
        caller.abort(new Error('enough'));
        await started;
        const known = context.ledger.open().map(({ name: row, kind: of }) => `${of} ${row}`);
        const there = (await provider.list(never)).map(({ name: row, kind: of }) => `${of} ${row}`);
        expect(there.some((each) => each.startsWith(`${kind} `))).toBe(true);
        expect(known).toEqual(expect.arrayContaining(there));
        await subject.createProvider().teardown(context, never);
        expect(context.ledger.open()).toEqual([]);
        expect(await provider.list(never)).toEqual([]);
      }
    });

    it('stops at once when the signal says so', async () => {
      const over = AbortSignal.abort(new Error('enough'));
      await expect(
        provider.startEngine({ parameters: subject.parameters, userData: subject.userData }, context, over),
      ).rejects.toThrow('enough');
      await provider.teardown(context, never);
      expect(await provider.list(never)).toEqual([]);
    });
  });
}

/** The kinds of resources that a start makes, in order; made once and removed again. */
async function kindsOf(
  provider: Provider,
  context: { ledger: MemoryLedger } & ProviderContext,
  start: () => Promise<void>,
): Promise<string[]> {
  await start();
  const kinds = context.ledger.open().map(({ kind }) => kind);
  await provider.teardown(context, never);
  return kinds;
}
