/** A job under one lease: what everything here is about. */
import type { Token } from '../protocol/token.ts';

export interface JobRef {
  jobId: string;
  token: Token;
}

export function refKey(ref: JobRef): string {
  return `${ref.jobId} ${ref.token}`;
}
