/** Failures of reading and writing files, as errors of the catalogue. What the kernel's CIFS client gives is an errno. */
import type { RandomAccess, WritableAccess } from '../disk/access.ts';
import { type ErrorCode, IpsError, isIpsError } from '../protocol/errors.ts';

const READ_CODES: Readonly<Record<string, ErrorCode>> = {
  EHOSTDOWN: 'SMB_UNREACHABLE',
  ETIMEDOUT: 'SMB_UNREACHABLE',
};

const WRITE_CODES: Readonly<Record<string, ErrorCode>> = {
  ...READ_CODES,
  ENOSPC: 'SHARE_FULL',
  EDQUOT: 'SHARE_FULL',
  // A file system of the server that cannot hold a file of this length.
  EFBIG: 'SHARE_FULL',
  EACCES: 'SMB_ACCESS_DENIED',
  EPERM: 'SMB_ACCESS_DENIED',
  EROFS: 'SMB_ACCESS_DENIED',
};

/** The errno's name of a system error as Node makes it; undefined for anything else. */
function errnoOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('errno' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** A failure of creating, writing or syncing the target; what is no system error stays as it is. */
export function targetError(error: unknown): unknown {
  const errno = errnoOf(error);
  if (errno === undefined) return error;
  return new IpsError(WRITE_CODES[errno] ?? 'TARGET_WRITE_FAILED', `(${errno})`, { cause: error });
}

/** A failure of reading the target back; what is no system error stays as it is. */
export function readBackError(error: unknown): unknown {
  const errno = errnoOf(error);
  if (errno === undefined) return error;
  return new IpsError(READ_CODES[errno] ?? 'SMB_FAILED', `Reading the file back failed. (${errno})`, { cause: error });
}

/** The source, whose failing reads say so. */
export function asSource(inner: RandomAccess, size: number): RandomAccess {
  return {
    size,
    read: (offset, buffer) => renamed(inner.read(offset, buffer), sourceError),
    close: () => inner.close(),
  };
}

function sourceError(error: unknown): unknown {
  if (isIpsError(error)) return error;
  const what = errnoOf(error) ?? (error instanceof Error ? error.message : String(error));
  return new IpsError('SOURCE_READ_FAILED', `(${what})`, { cause: error });
}

/** The target, whose failing writes say so. */
export function asTarget(inner: WritableAccess): WritableAccess {
  return {
    get size() {
      return inner.size;
    },
    read: (offset, buffer) => renamed(inner.read(offset, buffer), targetError),
    write: (offset, buffer) => renamed(inner.write(offset, buffer), targetError),
    truncate: (size) => renamed(inner.truncate(size), targetError),
    flush: () => renamed(inner.flush(), targetError),
    close: () => renamed(inner.close(), targetError),
  };
}

async function renamed<T>(work: Promise<T>, rename: (error: unknown) => unknown): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw rename(error);
  }
}
