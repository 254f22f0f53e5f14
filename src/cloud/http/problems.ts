/** Errors as RFC 9457 problem documents. What is not ours is logged and answered without its particulars. */
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import { ERRORS, type ErrorCode, IpsError, isIpsError } from '../../protocol/errors.ts';
import type { Problem } from '../../protocol/rest.ts';
import { TargetBusy } from '../jobs/intake.ts';
import { RateLimited } from '../rate-limiter.ts';

export const PROBLEM_TYPE = 'application/problem+json';

/** @returns the house's error for whatever a handler or the framework threw; undefined for what nobody foresaw */
export function knownError(error: unknown): IpsError | undefined {
  if (isIpsError(error)) return error;
  if (hasZodFastifySchemaValidationErrors(error)) {
    const fields = error.validation.map(({ instancePath, message }) => `${instancePath || '/'}: ${message}`);
    return new IpsError('REQUEST_INVALID', fields.join('; '));
  }
  // The framework's own refusals: a body too large, not JSON, of another content type.
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  if (typeof status === 'number' && status >= 400 && status < 500)
    return new IpsError('REQUEST_INVALID', error instanceof Error ? error.message : undefined);
  return undefined;
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
