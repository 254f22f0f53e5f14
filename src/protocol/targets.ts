/**
 * Which hosts a credential may meet. An allowed target is a prefix in the shape of a URL: `smb://host`,
 * `smb://host:port`, `smb://host/share`. No wildcard: a typo must refuse, not widen.
 */
import { z } from 'zod';
import { SMB_PORT } from './smb-location.ts';

export const allowedTargetSchema = z
  .string()
  .regex(/^smb:\/\/[^/\s@]+(\/[^/\s]+)?$/i, 'expected smb://host[:port][/share]')
  .refine((text) => place(text) !== undefined, 'expected smb://host[:port][/share]')
  .describe('smb://host[:port][/share]');

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}

interface Place {
  host: string;
  port: number;
  share: string | undefined;
}

function place(text: string): Place | undefined {
  // To its very end: a typo behind the host must not leave the host alone, which would allow every share of it.
  const match = /^smb:\/\/([^/:@\s[\]]+|\[[^\]]+\])(?::(\d{1,5}))?(?:\/([^/]+)(?:\/.*)?)?$/i.exec(text);
  const share = match?.[3] === undefined ? '' : decode(match[3]);
  if (!match?.[1] || share === undefined) return undefined;
  return {
    host: match[1].toLowerCase(),
    port: match[2] === undefined ? SMB_PORT : Number(match[2]),
    share: share === '' ? undefined : share.toLowerCase(),
  };
}

/**
 * Whether a credential with these allowed targets may be sent to `target` (a whole SMB location). Share names are
 * compared without case, as file servers do.
 */
export function isTargetAllowed(allowedTargets: readonly string[], target: string): boolean {
  const wanted = place(target);
  if (!wanted) return false;
  return allowedTargets.some((text) => {
    const allowed = place(text);
    return (
      allowed !== undefined &&
      allowed.host === wanted.host &&
      allowed.port === wanted.port &&
      (allowed.share === undefined || allowed.share === wanted.share)
    );
  });
}
