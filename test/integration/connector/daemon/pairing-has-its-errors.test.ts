import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type PairingRequest, pair } from '../../../../src/connector/pairing.ts';
import { readGeneration, readPairing } from '../../../../src/connector/pairing-record.ts';
import { type Clock, systemClock } from '../../../../src/lib/clock.ts';
import { IpsError } from '../../../../src/protocol/errors.ts';
import { makeCertificate, type TestCertificate } from '../../../harness/certificates.ts';
import { Appliance } from './appliance.ts';
import { FakeCloud } from './fake-cloud.ts';

const PAIRED = {
  connectorId: 'con-9',
  connectorName: 'lab-1',
  customerId: 'cus-1',
  resourceLocation: 'lab',
  generation: 7,
};

function problem(code: 'PAIRING_CODE_UNKNOWN' | 'PAIRING_CODE_USED' | 'PAIRING_CODE_EXPIRED' | 'RATE_LIMITED') {
  const { status, message, hint } = new IpsError(code);
  return { status, body: { type: 'about:blank', title: message, status, code, hint } };
}

/** The system's clock for somebody who cannot wait: it sleeps a hundredth of what it is told. */
class HastyClock implements Clock {
  readonly #system = systemClock();
  readonly monotonic = this.#system.monotonic;
  readonly wall = this.#system.wall;
  readonly after = this.#system.after;
  readonly every = this.#system.every;

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#system.sleep(ms / 100, signal);
  }
}

describe('pairing with a code', () => {
  let certificate: TestCertificate;
  let cloud: FakeCloud;
  let appliance: Appliance;
  beforeEach(async () => {
    certificate = await makeCertificate();
    cloud = await FakeCloud.start(certificate);
    cloud.answers = [{ status: 200, body: PAIRED }];
    appliance = new Appliance();
  });
  afterEach(async () => {
    await appliance.remove();
    await cloud.stop();
  });

  const run = (change: Partial<PairingRequest> = {}, signal = new AbortController().signal) =>
    pair(
      appliance.paths,
      {
        cloudUrl: cloud.url,
        trust: { kind: 'pins', pins: [certificate.pin] },
        name: 'lab-1',
        way: { kind: 'code', code: 'abcd-efgh' },
        ...change,
      },
      { ...appliance.tools, clock: new HastyClock() },
      signal,
    );

  it('is not done for another user, whose daemon could not read what it leaves', async () => {
    mkdirSync(appliance.paths.folder, { mode: 0o700 });
    chownSync(appliance.paths.folder, 65_534, 65_534);
    await expect(run()).rejects.toMatchObject({ code: 'WRONG_USER' });
    expect(readdirSync(appliance.paths.folder)).toEqual([]);
  });

  it('proves possession of the keys, and leaves everything on the disk for the owner only', async () => {
    await run();
    expect(cloud.calls).toMatchObject([
      { method: 'POST', path: '/v1/pairing/redeem', body: { code: 'ABCDEFGH', name: 'lab-1' } },
    ]);
    expect(await readPairing(appliance.paths)).toMatchObject({
      connectorId: 'con-9',
      trust: { pins: [certificate.pin] },
    });
    expect(await readGeneration(appliance.paths)).toBe(7);
    const { signKey, sealKey, engineSecret, pairing, generation } = appliance.paths;
    for (const path of [signKey, sealKey, engineSecret, pairing, generation])
      expect([path, (statSync(path).mode & 0o777).toString(8)]).toEqual([path, '600']);
    // No private half has left the machine.
    const sent = JSON.stringify(cloud.calls);
    for (const path of [signKey, sealKey]) {
      const secret = readFileSync(path, 'utf8').split('\n')[1] ?? '';
      expect(secret.length).toBeGreaterThan(40);
      expect(sent).not.toContain(secret.slice(-40));
    }
  });

  for (const code of ['PAIRING_CODE_UNKNOWN', 'PAIRING_CODE_USED', 'PAIRING_CODE_EXPIRED', 'RATE_LIMITED'] as const) {
    it(`gives ${code} with what to do, and the next try works`, async () => {
      cloud.answers = [problem(code), { status: 200, body: PAIRED }];
      await expect(run()).rejects.toMatchObject({ code, hint: new IpsError(code).hint });
      expect(await readPairing(appliance.paths)).toBeUndefined();
      await run();
      expect(await readPairing(appliance.paths)).toBeDefined();
    });
  }

  it('gives ALREADY_PAIRED before anything is sent', async () => {
    await run();
    const keys = readFileSync(appliance.paths.signKey, 'utf8');
    await expect(run()).rejects.toMatchObject({ code: 'ALREADY_PAIRED', message: expect.stringContaining('lab-1') });
    expect(cloud.calls).toHaveLength(1);
    expect(readFileSync(appliance.paths.signKey, 'utf8')).toBe(keys);
  });

  it('gives PAIRING_CODE_UNKNOWN for what cannot be a code, without asking', async () => {
    await expect(run({ way: { kind: 'code', code: 'hello' } })).rejects.toMatchObject({ code: 'PAIRING_CODE_UNKNOWN' });
    expect(cloud.calls).toEqual([]);
  });

  it('gives CLOUD_PIN_MISMATCH to a cloud with another key, which is told nothing', async () => {
    const { pin } = await makeCertificate();
    await expect(run({ trust: { kind: 'pins', pins: [pin] } })).rejects.toMatchObject({
      code: 'CLOUD_PIN_MISMATCH',
      message: expect.stringContaining(certificate.pin),
    });
    expect(cloud.calls).toEqual([]);
    expect(existsSync(appliance.paths.pairing)).toBe(false);
  });

  it('gives CLOUD_CERTIFICATE_REFUSED to a cloud that no known CA signed', async () => {
    await expect(run({ trust: { kind: 'ca' } })).rejects.toMatchObject({ code: 'CLOUD_CERTIFICATE_REFUSED' });
    expect(cloud.calls).toEqual([]);
  });

  it('sends the code again, with the same keys, when the answer is lost', async () => {
    cloud.answers = ['cut', 'cut', { status: 200, body: PAIRED }];
    await run();
    expect(await readPairing(appliance.paths)).toMatchObject({ connectorId: 'con-9' });
    expect(cloud.calls).toHaveLength(3);
    expect(new Set(cloud.calls.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  });

  it('keeps its keys when the answer stays lost, so that the next try is known again', async () => {
    cloud.answers = ['cut'];
    await expect(run()).rejects.toMatchObject({ code: 'CLOUD_UNREACHABLE' });
    expect(cloud.calls).toHaveLength(4);
    cloud.answers = [{ status: 200, body: PAIRED }];
    await run();
    expect(new Set(cloud.calls.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  });

  it('makes new keys where those that lie there are damaged', async () => {
    cloud.answers = [problem('PAIRING_CODE_UNKNOWN'), { status: 200, body: PAIRED }];
    await expect(run()).rejects.toMatchObject({ code: 'PAIRING_CODE_UNKNOWN' });
    writeFileSync(appliance.paths.sealKey, 'damaged', { mode: 0o600 });
    await run();
    const [first, second] = cloud.calls.map(({ body }) => (body as { signKey: string }).signKey);
    expect(second).not.toBe(first);
  });

  it('gives CLOUD_UNREACHABLE where nobody answers, and where something else does', async () => {
    await expect(run({ cloudUrl: new URL('https://127.0.0.1:1/') })).rejects.toMatchObject({
      code: 'CLOUD_UNREACHABLE',
    });
    cloud.answers = [{ status: 502, body: '<html>Bad gateway</html>' }];
    await expect(run()).rejects.toMatchObject({ code: 'CLOUD_UNREACHABLE', message: expect.stringContaining('502') });
    cloud.answers = [{ status: 200, body: '<html>Please log in</html>' }];
    await expect(run()).rejects.toMatchObject({ code: 'CLOUD_UNREACHABLE' });
  });

  it('the other way round shows code and fingerprint and waits until an operator confirms', async () => {
    const claim = { claimId: 'claim-1', code: 'WXYZ-2345', expiresAt: '2026-01-01T00:15:00.000Z' };
    cloud.answers = [
      { status: 201, body: claim },
      { status: 200, body: { state: 'pending' } },
      { status: 200, body: { state: 'paired', paired: PAIRED } },
    ];
    const shown: { code: string; fingerprint: string }[] = [];
    await run({ way: { kind: 'claim', show: (what) => shown.push(what) } });
    expect(shown).toMatchObject([
      { code: claim.code, fingerprint: expect.stringMatching(/^([0-9a-f]{4}:){7}[0-9a-f]{4}$/) },
    ]);
    expect(cloud.calls.map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /v1/pairing/claims',
      'GET /v1/pairing/claims/claim-1',
      'GET /v1/pairing/claims/claim-1',
    ]);
    expect(await readGeneration(appliance.paths)).toBe(7);
  });

  it('the other way round ends when the code expires, or somebody gives up', async () => {
    const claim = { claimId: 'claim-1', code: 'WXYZ-2345', expiresAt: '2026-01-01T00:15:00.000Z' };
    cloud.answers = [{ status: 201, body: claim }, problem('PAIRING_CODE_EXPIRED')];
    const way = { kind: 'claim', show: () => undefined } as const;
    await expect(run({ way })).rejects.toMatchObject({ code: 'PAIRING_CODE_EXPIRED' });
    cloud.answers = [
      { status: 201, body: claim },
      { status: 200, body: { state: 'pending' } },
    ];
    const giveUp = new AbortController();
    const waiting = run({ way: { kind: 'claim', show: () => giveUp.abort(new Error('enough')) } }, giveUp.signal);
    await expect(waiting).rejects.toThrow('enough');
    expect(await readPairing(appliance.paths)).toBeUndefined();
  });
});
