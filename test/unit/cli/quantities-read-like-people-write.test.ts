import { describe, expect, it } from '@jest/globals';
import { parseCount, parseDuration, showBytes, showDuration, showRate, showTime } from '../../../src/cli/quantities.ts';
import { isIpsError } from '../../../src/protocol/errors.ts';

describe('quantities', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536 * 1024, '1.5 MiB'],
    [100 * 2 ** 20, '100 MiB'],
    [20 * 2 ** 30, '20.0 GiB'],
    [64 * 2 ** 40, '64.0 TiB'],
    [9000 * 2 ** 50, '9000 PiB'],
  ])('%d bytes are %s', (bytes, text) => expect(showBytes(bytes)).toBe(text));

  it('a rate is bytes a second', () => expect(showRate(11.5 * 2 ** 20)).toBe('11.5 MiB/s'));

  it.each([
    [0, '0s'],
    [-3, '0s'],
    [59.6, '1m'],
    [7, '7s'],
    [200, '3m 20s'],
    [3600, '1h'],
    [7500, '2h 5m'],
    [90_061, '1d 1h'],
  ])('%d seconds are %s', (seconds, text) => expect(showDuration(seconds)).toBe(text));

  it.each([
    ['90', 90],
    ['90s', 90],
    ['15m', 900],
    ['4h', 14_400],
    ['2d', 172_800],
    ['1h30m', 5_400],
  ])('%s is %d seconds', (text, seconds) => expect(parseDuration(text)).toBe(seconds));

  it.each(['', '4 h', 'h4', '-1h', '1.5h', '30m1h', 'soon'])('"%s" is refused', (text) => {
    expect.assertions(1);
    try {
      parseDuration(text);
    } catch (error) {
      expect(isIpsError(error) && error.code).toBe('USAGE');
    }
  });

  it.each([
    ['1', 1],
    ['500', 500],
  ])('%s is a count', (text, count) => expect(parseCount(text)).toBe(count));

  it.each(['', 'abc', '0', '-1', '1.5', '1e3', ' 5', '12345678901'])('"%s" is no count', (text) => {
    expect(() => parseCount(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  it('a time that never was is a dash', () => expect(showTime(undefined)).toBe('-'));
});
