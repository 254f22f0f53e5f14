import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { tryTool } from '../../harness/tools.ts';
import { newContext } from '../providers/conformance.ts';
import { type QemuSubject, qemuSubject } from './subject.ts';

const never = new AbortController().signal;

describe('a source and other virtual machines', () => {
  let subject: QemuSubject;
  let writer: ChildProcess | undefined;
  beforeEach(async () => {
    subject = await qemuSubject();
  });
  afterEach(async () => {
    writer?.kill('SIGKILL');
    await subject.close();
  });

  /** A process that has the disk open for writing, as a running virtual machine has. */
  async function openForWriting(): Promise<void> {
    const child = spawn('qemu-io', ['-f', 'qcow2', subject.disk], { stdio: ['pipe', 'pipe', 'ignore'] });
    writer = child;
    // Its prompt comes once the disk is open.
    await once(child.stdout, 'data');
  }
  const start = (context = newContext()) =>
    subject
      .createProvider()
      .startEngine({ parameters: subject.parameters, userData: Buffer.alloc(16) }, context, never);

  it('open elsewhere is found in the preflight', async () => {
    await openForWriting();
    const findings = await subject.createProvider().preflight(subject.parameters, newContext(), never);
    expect(findings).toMatchObject([{ severity: 'critical', code: 'SOURCE_IN_USE' }]);
  });

  it('opened elsewhere after the preflight makes the start fail, and nothing is left', async () => {
    await openForWriting();
    const context = newContext();
    await expect(start(context)).rejects.toMatchObject({ code: 'SOURCE_IN_USE' });
    await subject.createProvider().teardown(context, never);
    expect(context.ledger.open()).toEqual([]);
    expect(await subject.createProvider().list(never)).toEqual([]);
  });

  it('cannot be opened for writing while the engine has it, and keeps every byte', async () => {
    const hash = async () =>
      createHash('sha256')
        .update(await readFile(subject.disk))
        .digest('hex');
    const before = await hash();
    const context = newContext();
    await start(context);
    try {
      const other = await tryTool('qemu-io', ['-f', 'qcow2', '-c', 'write -P 9 0 64k', subject.disk]);
      expect(other.code).not.toBe(0);
      expect(other.stderr).toMatch(/lock/);
    } finally {
      await subject.createProvider().teardown(context, never);
    }
    expect(await hash()).toBe(before);
  });
});
