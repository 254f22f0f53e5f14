/** Errors as RFC 9457 problem documents. What is not ours is logged and answered without its particulars. */
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { ERRORS, type ErrorCode, IpsError, isIpsError } from '../../protocol/errors.ts';
import type { Problem } from '../../protocol/rest.ts';
import { TargetBusy } from '../jobs/intake.ts';
import { RateLimited } from '../rate-limiter.ts';

/** By the status that the framework meant. */
const HINTS: Partial<Record<number, string>> = {
  413: 'Send less: 256 KiB at most.',
  415: 'Send JSON, and say so: "content-type: application/json".',
};

export const PROBLEM_TYPE = 'application/problem+json';

/** @returns the house's error for whatever a handler or the framework threw; undefined for what nobody foresaw */
export function knownError(error: unknown): IpsError | undefined {
  if (isIpsError(error)) return error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const fields = error.validation.map(({ instancePath, message }) => `${instancePath || '/'}: ${message}`);
    return new IpsError('REQUEST_INVALID', fields.join('; '));
  }
  // The framework's own refusals: a body too large, not JSON, of another content type, a path that cannot be read.
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  if (!(error instanceof Error) || typeof status !== 'number' || status < 400 || status >= 500) return undefined;
  return new IpsError('REQUEST_INVALID', error.message, { hint: HINTS[status] });
}

export function toProblem(error: IpsError): { problem: Problem; headers: Record<string, string> } {
  const { code, message, hint, status } = error;
  return {
    problem: {
      type: `urn:ips:error:${code satisfies ErrorCode}`,
      title: ERRORS[code].cause,
      status,
      detail: message,
      code,
      hint,
      ...(error instanceof TargetBusy ? { jobId: error.jobId } : {}),
    },
    headers: {
      'cache-control': 'no-store',
      ...(error instanceof RateLimited ? { 'retry-after': String(error.retryAfterSeconds) } : {}),
      ...(code === 'UNAUTHENTICATED' ? { 'www-authenticate': 'Bearer' } : {}),
    },
  };
}

/** A whole HTTP/1.1 answer (RFC 9112) to what is no HTTP request: it has no reply to be sent with. */
export function rawRefusal(reason: string): string {
  const { problem, headers } = toProblem(new IpsError('REQUEST_INVALID', `It is no HTTP request: ${reason}.`));
  const body = JSON.stringify(problem);
  const length = String(Buffer.byteLength(body));
  const all = { ...headers, connection: 'close', 'content-type': PROBLEM_TYPE, 'content-length': length };
  return [
    'HTTP/1.1 400 Bad Request',
    ...Object.entries(all).map(([name, value]) => `${name}: ${value}`),
    '',
    body,
  ].join('\r\n');
}
