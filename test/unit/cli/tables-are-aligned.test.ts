import { describe, expect, it } from '@jest/globals';
import { facts, table } from '../../../src/cli/table.ts';

describe('a table', () => {
  it('is aligned by column, without trailing spaces', () => {
    const rows = [
      ['london', '2'],
      ['a', ''],
    ];
    expect(table(['name', 'connectors'], rows, 'None.')).toBe('NAME    CONNECTORS\nlondon  2\na');
  });

  it('without rows says so', () => expect(table(['name'], [], 'None yet.')).toBe('None yet.'));
});

describe('facts', () => {
  it('leave out what is not known', () => {
    const pairs = [
      ['state', 'queued'],
      ['connector', undefined],
      ['note', ''],
      ['created by', 'me'],
    ] as const;
    expect(facts(pairs)).toBe('state       queued\ncreated by  me');
  });
});
