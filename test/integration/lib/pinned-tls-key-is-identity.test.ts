import { afterEach, describe, expect, it } from '@jest/globals';
import { makeCertificate } from '../../harness/certificates.ts';
import { echo, pinnedTo } from '../../harness/tls-echo.ts';
import { startTlsPeer, type TlsPeer } from '../../harness/tls-peer.ts';

describe('under pins the key says who the peer is', () => {
  let peer: TlsPeer | undefined;
  afterEach(async () => await peer?.close());

  it('self-signed and for another name', async () => {
    const certificate = await makeCertificate({ name: 'some.other.name' });
    peer = await startTlsPeer(certificate);
    expect(await echo(pinnedTo(peer.port, { kind: 'pins', pins: [certificate.pin] }), peer.port)).toBe('hello');
  });

  it('signed by a CA that nobody here knows', async () => {
    const ca = await makeCertificate({ name: 'Some CA', isCa: true });
    const certificate = await makeCertificate({ ca });
    peer = await startTlsPeer({ ...certificate, cert: certificate.cert + ca.cert });
    expect(await echo(pinnedTo(peer.port, { kind: 'pins', pins: [certificate.pin] }), peer.port)).toBe('hello');
  });

  it('but the pin of the CA above it does not count', async () => {
    const ca = await makeCertificate({ name: 'Some CA', isCa: true });
    const certificate = await makeCertificate({ ca });
    peer = await startTlsPeer({ ...certificate, cert: certificate.cert + ca.cert });
    const tls = pinnedTo(peer.port, { kind: 'pins', pins: [ca.pin] });
    await expect(echo(tls, peer.port)).rejects.toMatchObject({ code: 'PIN_MISMATCH' });
    expect(peer.received()).toBe(0);
  });

  it('and an expired certificate is refused', async () => {
    const certificate = await makeCertificate({ notAfter: new Date('2020-01-01') });
    peer = await startTlsPeer(certificate);
    const tls = pinnedTo(peer.port, { kind: 'pins', pins: [certificate.pin] });
    await expect(echo(tls, peer.port)).rejects.toMatchObject({ code: 'CERTIFICATE_REFUSED' });
    expect(peer.received()).toBe(0);
  });
});
