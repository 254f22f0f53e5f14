import { describe, expect, it } from '@jest/globals';
import { seenFromEngine } from '../../../providers/qemu/loopback.ts';

describe('a host as the engine must call it', () => {
  it.each(['127.0.0.1', 'localhost', 'LOCALHOST', '::1', '[::1]'])('%s is the alias of the host', (host) => {
    expect(seenFromEngine(host)).toBe('10.0.2.2');
  });

  it.each(['files.example', '192.0.2.7', '127.0.0.5', 'localhost.example', '[2001:db8::1]'])('%s stays', (host) => {
    expect(seenFromEngine(host)).toBe(host);
  });
});
