/** Identifiers: a prefix that says what it names, and 80 random bits in Crockford's base 32 (no i, l, o, u). */
import type { RandomSource } from './random.ts';

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';

/** Lower-case Crockford base 32 text of `length` characters, 5 random bits each. */
export function randomText(random: RandomSource, length: number, alphabet: string = ALPHABET): string {
  let text = '';
  for (let i = 0; i < length; i += 1) text += alphabet[random.int(alphabet.length)];
  return text;
}

/** A new identifier such as `job-3k9m…`; safe in file names, DNS labels and tags. */
export function newId(prefix: string, random: RandomSource): string {
  return `${prefix}-${randomText(random, 16)}`;
}
