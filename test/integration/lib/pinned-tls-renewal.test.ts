import { afterEach, describe, expect, it } from '@jest/globals';
import { makeCertificate } from '../../harness/certificates.ts';
import { echo, pinnedTo } from '../../harness/tls-echo.ts';
import { startTlsPeer, type TlsPeer } from '../../harness/tls-peer.ts';

describe('a peer that changes its certificate', () => {
  let peer: TlsPeer | undefined;
  afterEach(async () => await peer?.close());

  it('is met again after one look when the key is the same or an announced one, and not otherwise', async () => {
    const first = await makeCertificate();
    const renewed = await makeCertificate({ like: first, name: 'renewed' });
    const next = await makeCertificate();
    const stranger = await makeCertificate();
    expect(renewed.pin).toBe(first.pin);
    peer = await startTlsPeer(first);
    const tls = pinnedTo(peer.port, { kind: 'pins', pins: [first.pin, next.pin] });
    expect(await echo(tls, peer.port)).toBe('hello');
    for (const certificate of [renewed, next]) {
      peer.use(certificate);
      await expect(echo(tls, peer.port)).rejects.toMatchObject({ code: 'CERTIFICATE_REFUSED' });
      tls.forget();
      expect(await echo(tls, peer.port)).toBe('hello');
    }
    peer.use(stranger);
    tls.forget();
    await expect(echo(tls, peer.port)).rejects.toMatchObject({ code: 'PIN_MISMATCH' });
  });
});
