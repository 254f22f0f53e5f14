import { verify } from 'node:crypto';
import { chmodSync, readFileSync, statSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadIdentity, publicKeys } from '../../../../src/connector/identity.ts';
import { importPublicKey } from '../../../../src/lib/seal.ts';
import { proofText } from '../../../../src/protocol/link.ts';
import { makeCertificate, type TestCertificate } from '../../../harness/certificates.ts';
import { JOB, LIMITS, PARAMETERS } from '../../../unit/connector/daemon/doubles.ts';
import { Appliance } from './appliance.ts';
import { FakeCloud } from './fake-cloud.ts';

describe('the daemon', () => {
  const pinsOnDisk = () => JSON.parse(readFileSync(appliance.paths.pairing, 'utf8')).trust.pins;
  let certificate: TestCertificate;
  let cloud: FakeCloud;
  let appliance: Appliance;
  beforeEach(async () => {
    certificate = await makeCertificate();
    cloud = await FakeCloud.start(certificate);
    appliance = new Appliance();
    await appliance.pairWith(cloud.url, { kind: 'pins', pins: [certificate.pin] });
  });
  afterEach(async () => {
    await appliance.remove();
    await cloud.stop();
  });

  it('says who it is, proves it, and has the generation on the disk before it acknowledges it', async () => {
    void appliance.start();
    const peer = await cloud.peer();
    const hello = await peer.next('hello');
    expect(hello).toMatchObject({ connectorId: 'con-1', generation: 1, platforms: ['qemu'], slots: 2, jobs: [] });
    peer.says({ type: 'challenge', nonce: 'n0nce' });
    const { signature } = await peer.next('proof');
    const signed = Buffer.from(proofText('n0nce', 'con-1', hello.instanceId, 1));
    const key = importPublicKey('Ed25519', publicKeys(await loadIdentity(appliance.paths)).signKey);
    expect(verify(null, signed, key, Buffer.from(signature, 'base64url'))).toBe(true);
    peer.says({ type: 'welcome', generation: 2, leaseTtlMs: 30_000, pins: [], jobs: [] });
    expect(await peer.next('generationStored')).toMatchObject({ generation: 2 });
    expect(readFileSync(appliance.paths.generation, 'utf8')).toBe('2\n');
    expect(peer.extensions).toBe('');
    for (const path of [appliance.paths.generation, appliance.paths.pairing, appliance.paths.health])
      expect([path, statSync(path).mode & 0o077]).toEqual([path, 0]);
  });

  it('comes back after a cut as the same process, with the new generation', async () => {
    void appliance.start();
    const first = await cloud.peer();
    const { instanceId } = await first.next('hello');
    await first.welcomes({ generation: 2 });
    first.cut();
    const second = await cloud.peer();
    expect(await second.next('hello')).toMatchObject({ instanceId, generation: 2 });
    await appliance.stop();
    void appliance.start();
    const third = await cloud.peer();
    expect((await third.next('hello')).instanceId).not.toBe(instanceId);
  });

  it('replaces its pins by the announced ones, and follows the cloud to its next key', async () => {
    const next = await makeCertificate();
    void appliance.start();
    const first = await cloud.peer();
    await first.welcomes({ generation: 2, pins: [certificate.pin, next.pin] });
    expect(JSON.parse(readFileSync(appliance.paths.pairing, 'utf8')).trust).toEqual({
      kind: 'pins',
      pins: [certificate.pin, next.pin],
    });
    cloud.use(next);
    first.cut();
    const second = await cloud.peer();
    const afterNext = await makeCertificate();
    await second.welcomes({ generation: 3, pins: [next.pin, afterNext.pin] });
    expect(pinsOnDisk()).toEqual([next.pin, afterNext.pin]);
    cloud.use(afterNext);
    second.cut();
    await (await cloud.peer()).welcomes({ generation: 4, pins: [afterNext.pin] });
    await appliance.stop();
    expect(pinsOnDisk()).toEqual([afterNext.pin]);
  });

  it('takes up the next pin also from a cloud that has named one twice', async () => {
    const next = await makeCertificate();
    void appliance.start();
    const peer = await cloud.peer();
    await peer.welcomes({ generation: 2, pins: [certificate.pin, certificate.pin] });
    peer.cut();
    await (await cloud.peer()).welcomes({ generation: 3, pins: [certificate.pin, next.pin] });
    expect(pinsOnDisk()).toEqual([certificate.pin, next.pin]);
  });

  it.each([
    ['a set without the key that it talks to', async () => [(await makeCertificate()).pin]],
    ['nonsense', async () => [certificate.pin, 'sha256/nonsense']],
  ])('does not let %s lock it out', async (_what, announced) => {
    void appliance.start();
    const peer = await cloud.peer();
    await peer.welcomes({ generation: 2, pins: await announced() });
    expect(pinsOnDisk()).toEqual([certificate.pin]);
    expect(appliance.logged).toContain('the known ones stay');
    peer.cut();
    await (await cloud.peer()).welcomes({ generation: 3 });
  });

  it('hears nothing more of its workers once it has stopped', async () => {
    await appliance.withJournal((journal) =>
      journal.accept(
        { ...JOB, parameters: PARAMETERS, limits: LIMITS, acceptedAt: { bootId: 'boot', ms: 0 } },
        'con-1',
      ),
    );
    chmodSync(appliance.paths.journal, 0o600);
    void appliance.start();
    await (await cloud.peer()).welcomes({ generation: 2 });
    const worker = appliance.forks.last();
    await appliance.stop();
    // The journal is closed by now.
    worker.says({ type: 'outbox' });
    worker.exits();
  });

  it('runs once on a state folder', async () => {
    void appliance.start();
    await (await cloud.peer()).welcomes({ generation: 2 });
    const second = new Appliance();
    Object.assign(second, { config: appliance.config, paths: appliance.paths });
    await expect(second.start()).rejects.toMatchObject({ code: 'IN_USE' });
    await second.remove();
  });
});
