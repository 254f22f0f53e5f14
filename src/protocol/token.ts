/**
 * The lease token: (cloud epoch, counter). Tokens of one job are totally ordered; restoring the cloud from a backup
 * raises the epoch, so that no token it may have given away since can come again.
 */
import { z } from 'zod';

/** Written `epoch.counter`, both whole numbers from 1: `3.17`. */
export const tokenSchema = z.string().regex(/^[1-9]\d{0,14}\.[1-9]\d{0,14}$/, 'a token is epoch.counter');

export type Token = z.infer<typeof tokenSchema>;

export function formatToken(epoch: number, counter: number): Token {
  return `${epoch}.${counter}`;
}

/** @throws Error when the text is no token */
export function parseToken(token: Token): { epoch: number; counter: number } {
  const [epoch, counter] = tokenSchema.parse(token).split('.').map(Number);
  return { epoch: epoch ?? 0, counter: counter ?? 0 };
}

/** Negative when `a` is older than `b`, positive when newer, 0 when they are one. */
export function compareTokens(a: Token, b: Token): number {
  const left = parseToken(a);
  const right = parseToken(b);
  return left.epoch - right.epoch || left.counter - right.counter;
}
