/** smbclient's listing has no quotes: names with blanks, capitals and digits at their end must not be cut or grow. */
import { expect, it } from '@jest/globals';
import { parseListing } from '../../../src/share/smb-listing.ts';

const LISTING = `
  .                                   D        0  Mon Nov 23 14:11:43 2026
  ..                                  D        0  Mon Nov 23 14:09:38 2026
  file                                N        0  Mon Nov 23 14:11:43 2026
  sub dir                             D        0  Mon Nov  3 14:10:12 2026
  .a very long name with BIG letters AND SPACES H.x      H 12345678901  Mon Nov 23 14:11:43 2026
  a b'$(x)&é%d!#,@~=+[1]{2}^\`ü-日本      N        3  Mon Nov 23 14:10:11 2026
  disk A 12                          AH 12345678  Mon Nov 23 14:10:11 2026

		264212084 blocks of size 1024. 81310952 blocks available
`;

it('gives names and sizes', () => {
  expect(parseListing(LISTING).entries).toEqual([
    { name: 'file', size: 0 },
    { name: 'sub dir', size: 0 },
    { name: '.a very long name with BIG letters AND SPACES H.x', size: 12345678901 },
    { name: "a b'$(x)&é%d!#,@~=+[1]{2}^`ü-日本", size: 3 },
    { name: 'disk A 12', size: 12345678 },
  ]);
});

it('gives the free space, if it is told', () => {
  expect(parseListing(LISTING).freeBytes).toBe(81310952 * 1024);
  expect(parseListing('').freeBytes).toBeUndefined();
});

it('takes nothing else for an entry', () => {
  const lines = [
    '  x',
    '  Mon Nov 23 14:11:43 2026',
    'x  N  0  Mon Nov 23 14:11:43 2026',
    ' N 0  Mon Nov 23 14:11:43 2026',
  ];
  expect(parseListing(lines.join('\n')).entries).toEqual([]);
});
