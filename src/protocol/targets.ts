/**
 * Which hosts a credential may meet. An allowed target is a prefix of SMB locations: `smb://host`, `smb://host:port`,
 * `smb://host/share`. No wildcard: a typo must refuse, not widen.
 */
import { z } from 'zod';
import { parseSmbLocation } from './smb-location.ts';

interface AllowedTarget {
  host: string;
  port: number;
  /** Every share of the host when there is none. */
  share: string | undefined;
}

/** @throws Error with one sentence when the text is no allowed target */
function parseAllowedTarget(text: string): AllowedTarget {
  const [whole, share] = /^smb:\/\/[^/@]+(\/[^/]+)?$/i.exec(text) ?? [];
  if (whole === undefined) throw new Error('expected smb://host[:port][/share]');
  // A host alone is no location, so it borrows a share.
  if (share === undefined) return { ...parseSmbLocation(`${text}/any`), share: undefined };
  return parseSmbLocation(text);
}

export const allowedTargetSchema = z
  .string()
  .superRefine((text, context) => {
    try {
      parseAllowedTarget(text);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'not valid' });
    }
  })
  .describe('smb://host[:port][/share]');

/**
 * Whether a credential with these allowed targets may be sent to `target` (a whole SMB location). Share names are
 * compared without case, as file servers do.
 */
export function isTargetAllowed(allowedTargets: readonly string[], target: string): boolean {
  const wanted = parsed(() => parseSmbLocation(target));
  if (!wanted) return false;
  return allowedTargets.some((text) => {
    const allowed = parsed(() => parseAllowedTarget(text));
    return (
      allowed !== undefined &&
      allowed.host === wanted.host &&
      allowed.port === wanted.port &&
      (allowed.share === undefined || allowed.share.toLowerCase() === wanted.share.toLowerCase())
    );
  });
}

/** What cannot be read allows nothing. */
function parsed<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
