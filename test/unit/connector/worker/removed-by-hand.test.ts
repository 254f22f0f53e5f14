/** The command that removes a file by hand reaches the same share as the same user, and a shell takes it as it is meant. */
import { expect, it } from '@jest/globals';
import { removeByHand } from '../../../../src/connector/worker/share-file.ts';
import { parseSmbLocation } from '../../../../src/protocol/smb-location.ts';

it('names share, folder, user and file', () => {
  const location = parseSmbLocation('smb://files.test/disks/a/b');
  expect(removeByHand(location, { username: 'writer', domain: undefined }, '.disk.partial')).toBe(
    "smbclient '//files.test/disks' -U 'writer' -c 'del \"a\\b\\.disk.partial\"'",
  );
});

it('names port and domain where there are any, and quotes what a shell would read', () => {
  const location = parseSmbLocation('smb://files.test:1445/disks');
  expect(removeByHand(location, { username: "o'neill", domain: 'CORP' }, 'x')).toBe(
    "smbclient '//files.test/disks' -p 1445 -W 'CORP' -U 'o'\\''neill' -c 'del \"x\"'",
  );
});
