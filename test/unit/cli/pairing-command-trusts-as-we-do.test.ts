import { describe, expect, it } from '@jest/globals';
import { pairingCommand } from '../../../src/cli/commands/connector.ts';
import type { PeerTrust } from '../../../src/lib/pinned-tls.ts';

const command = (trust: PeerTrust) =>
  pairingCommand({ url: new URL('https://ips.example.com:8440'), trust }, 'K7MP-2QXT');

describe('the command that pairs an appliance', () => {
  it('has every pin', () => {
    expect(command({ kind: 'pins', pins: ['sha256/a', 'sha256/b'] })).toEqual([
      '  ips-connector pair --cloud https://ips.example.com:8440 --pin sha256/a --pin sha256/b --code K7MP-2QXT',
    ]);
  });

  it('names the CA certificate where it is a private one, and says which it is', () => {
    const [run, note] = command({ kind: 'ca', ca: 'PEM' });
    expect(run).toBe('  ips-connector pair --cloud https://ips.example.com:8440 --ca ips-ca.pem --code K7MP-2QXT');
    expect(note).toContain('ips-ca.pem is a copy of the CA certificate');
  });

  it('says nothing of trust where the CA is one of the system', () => {
    expect(command({ kind: 'ca' })).toEqual([
      '  ips-connector pair --cloud https://ips.example.com:8440 --code K7MP-2QXT',
    ]);
  });
});
