import { afterEach, describe, expect, it } from '@jest/globals';
import { makeCertificate } from '../../harness/certificates.ts';
import { echo, pinnedTo } from '../../harness/tls-echo.ts';
import { startTlsPeer, type TlsPeer } from '../../harness/tls-peer.ts';

describe('under CA trust', () => {
  let peer: TlsPeer | undefined;
  afterEach(async () => await peer?.close());

  it('a certificate of that CA with the right name is trusted', async () => {
    const ca = await makeCertificate({ name: 'Some CA', isCa: true });
    peer = await startTlsPeer(await makeCertificate({ ca, name: 'localhost' }));
    const tls = pinnedTo(peer.port, { kind: 'ca', ca: ca.cert }, 'localhost');
    expect(await echo(tls, peer.port, 'localhost')).toBe('hello');
  });

  it('one with another name is refused', async () => {
    const ca = await makeCertificate({ name: 'Some CA', isCa: true });
    peer = await startTlsPeer(await makeCertificate({ ca, name: 'some.other.name' }));
    const tls = pinnedTo(peer.port, { kind: 'ca', ca: ca.cert }, 'localhost');
    await expect(echo(tls, peer.port, 'localhost')).rejects.toMatchObject({ code: 'CERTIFICATE_REFUSED' });
    expect(peer.received()).toBe(0);
  });

  it('one that the known CAs did not sign is refused', async () => {
    peer = await startTlsPeer(await makeCertificate({ name: 'localhost' }));
    const tls = pinnedTo(peer.port, { kind: 'ca' }, 'localhost');
    await expect(echo(tls, peer.port, 'localhost')).rejects.toMatchObject({ code: 'CERTIFICATE_REFUSED' });
    expect(peer.received()).toBe(0);
  });
});
