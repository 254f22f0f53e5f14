import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { newContext } from '../providers/conformance.ts';
import { type QemuSubject, qemuSubject } from './subject.ts';

describe('a machine without QEMU', () => {
  let subject: QemuSubject;
  beforeEach(async () => {
    subject = await qemuSubject();
  });
  afterEach(async () => subject.close());

  it('is told in the preflight, with the packages to install', async () => {
    const provider = subject.createProvider({ binary: '/no/such/qemu' });
    const findings = await provider.preflight(subject.parameters, newContext('job-a'), new AbortController().signal);
    expect(findings).toMatchObject([
      { severity: 'critical', code: 'ENGINE_START_FAILED', remedy: expect.stringContaining('apt-get install') },
    ]);
  });
});
