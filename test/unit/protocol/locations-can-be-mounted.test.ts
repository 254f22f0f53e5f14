/** What a location or a disk name holds can be mounted and created, or is refused before anything is started. */
import { describe, expect, it } from '@jest/globals';
import { partialName } from '../../../src/protocol/engine.ts';
import { DISK_FORMATS } from '../../../src/protocol/job.ts';
import { diskNameSchema, smbLocationSchema, uncHost } from '../../../src/protocol/smb-location.ts';
import { formatToken } from '../../../src/protocol/token.ts';

describe('a location', () => {
  it.each(['smb://files/a,b', 'smb://files/images/a,b', 'smb://files/images/a%2Cb'])(
    '%s has a comma, which no mount can take: it is refused, and said why',
    (text) => {
      expect(smbLocationSchema.safeParse(text).error?.issues[0]?.message).toContain('comma');
    },
  );

  it('may have any other character of a Windows name', () => {
    expect(smbLocationSchema.safeParse("smb://files/our share/it's 100%25 [new] #2 {ü} 漢").success).toBe(true);
  });

  it('has an address without brackets for those who resolve it', () => {
    expect([uncHost('[fe80::1]'), uncHost('files.example')]).toEqual(['fe80::1', 'files.example']);
  });
});

describe('a disk name', () => {
  const longest = { jobId: `job-${'x'.repeat(16)}`, token: formatToken(10 ** 15 - 1, 10 ** 15 - 1) };

  it.each(['x'.repeat(100), 'ü'.repeat(90), '漢'.repeat(60), '🙂'.repeat(45)])(
    '%s is as long as it may be: its temporary name is still a name',
    (name) => {
      expect(diskNameSchema.safeParse(name).success).toBe(true);
      for (const format of DISK_FORMATS) {
        const temporary = partialName(`${name}.${format}`, longest.jobId, longest.token);
        expect(Buffer.byteLength(temporary)).toBeLessThanOrEqual(255);
        expect(temporary.length).toBeLessThanOrEqual(255);
      }
    },
  );

  it.each(['x'.repeat(101), '漢'.repeat(90), '漢'.repeat(61), '🙂'.repeat(46)])('%s is too long', (name) => {
    expect(diskNameSchema.safeParse(name).success).toBe(false);
  });
});
