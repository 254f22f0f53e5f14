import { describe, expect, it } from '@jest/globals';
import { IpsError } from '../../../../src/protocol/errors.ts';
import { lastSocket, startLink } from './linked.ts';

describe('a connector that the cloud refuses', () => {
  for (const code of ['CONNECTOR_CLONED', 'CONNECTOR_UNKNOWN'] as const) {
    it(`(${code}) says so with the remedy, and asks again at a slow pace`, async () => {
      const linked = startLink();
      await lastSocket(linked).says({ type: 'refused', error: new IpsError(code).report() });
      expect(linked.lines.at(-1)).toMatchObject({ level: 'error', code, hint: new IpsError(code).hint });
      expect(linked.told).toEqual([`down ${code}`]);
      await linked.clock.pass(44_000);
      expect(linked.tries).toHaveLength(1);
      await linked.clock.pass(2_000);
      expect(linked.tries).toHaveLength(2);
      // An operator may have set it right meanwhile.
      await lastSocket(linked).welcomes();
      expect(linked.told.at(-1)).toBe('up');
      await linked.stop();
    });
  }
});
