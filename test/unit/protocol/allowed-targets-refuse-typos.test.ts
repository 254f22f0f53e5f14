import { describe, expect, it } from '@jest/globals';
import { allowedTargetSchema, isTargetAllowed } from '../../../src/protocol/targets.ts';

describe('an allowed target', () => {
  it.each([
    ['smb://files', 'smb://files/images/golden', true],
    ['smb://FILES/Images', 'smb://files/images', true],
    ['smb://files/images', 'smb://files/secret', false],
    ['smb://files', 'smb://files:4450/images', false],
    ['smb://files:4450', 'smb://files:4450/images', true],
    ['smb://file', 'smb://files/images', false],
    ['smb://[fe80::1]', 'smb://[FE80::1]/images', true],
    ['smb://files/our%20share', 'smb://files/Our share/golden', true],
    ['smb://files', 'smb://files:99999/images', false],
  ])('%s for %s: %s', (allowed, target, expected) => {
    expect(allowedTargetSchema.safeParse(allowed).success).toBe(true);
    expect(isTargetAllowed([allowed], target)).toBe(expected);
  });

  it.each([
    'smb://files:/images',
    'smb://files:44S/images',
    'smb://files:99999',
    'smb://files:99999/images',
    'smb://files/50%',
    'smb://files/',
    'smb://files/images/golden',
    'smb://fi les',
    'smb://user@files/images',
    'files',
  ])('%s is a typo: refused when stored, with one sentence, and allows nothing', (typo) => {
    expect(allowedTargetSchema.safeParse(typo).error?.issues).toHaveLength(1);
    expect(isTargetAllowed([typo], 'smb://files/images')).toBe(false);
    expect(isTargetAllowed([typo], 'smb://files:44/images')).toBe(false);
  });
});
