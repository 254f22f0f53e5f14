import { afterEach, describe, expect, it } from '@jest/globals';
import { makeCertificate } from '../../harness/certificates.ts';
import { echo, pinnedTo } from '../../harness/tls-echo.ts';
import { startTlsPeer, type TlsPeer } from '../../harness/tls-peer.ts';

describe('a peer with another key than the pinned one', () => {
  let peer: TlsPeer | undefined;
  afterEach(async () => await peer?.close());

  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`receives no application byte over ${maxVersion}`, async () => {
      const [real, impostor] = [await makeCertificate(), await makeCertificate()];
      peer = await startTlsPeer(impostor, { maxVersion });
      await expect(echo(pinnedTo(peer.port, { kind: 'pins', pins: [real.pin] }), peer.port)).rejects.toMatchObject({
        code: 'PIN_MISMATCH',
        message: `The key shown has the pin ${impostor.pin}.`,
      });
      expect(peer.connections()).toBe(1);
      expect(peer.received()).toBe(0);
    });

    it(`receives none when it steps in after the look, over ${maxVersion}`, async () => {
      const [real, impostor] = [await makeCertificate(), await makeCertificate()];
      peer = await startTlsPeer(real, { maxVersion, onConnection: (n, self) => n === 2 && self.use(impostor) });
      const tls = pinnedTo(peer.port, { kind: 'pins', pins: [real.pin] });
      await expect(echo(tls, peer.port)).rejects.toMatchObject({ code: 'CERTIFICATE_REFUSED' });
      expect(peer.connections()).toBe(2);
      expect(peer.received()).toBe(0);
    });
  }

  it('receives none with a certificate that the pinned key signed for another', async () => {
    const real = await makeCertificate({ isCa: true, name: 'real' });
    const impostor = await makeCertificate({ ca: real, name: 'impostor' });
    peer = await startTlsPeer(real, { onConnection: (n, self) => n === 2 && self.use(impostor) });
    const tls = pinnedTo(peer.port, { kind: 'pins', pins: [real.pin] });
    await expect(echo(tls, peer.port)).rejects.toMatchObject({ code: 'PIN_MISMATCH' });
    expect(peer.received()).toBe(0);
  });
});
