/**
 * Structured logs through winston: one JSON object a line on standard error, or plain lines for a person.
 * Secrets are kept out twice: they travel as `Secret` (which prints a placeholder), and fields whose name says
 * "secret" are redacted here.
 */
import winston from 'winston';

export type Logger = winston.Logger;

const SECRET_NAME = /pass(word|wd|phrase)|secret|token$|authorization|psk|private.?key|pairing.?code|envelope/i;
/** A lease token (epoch.counter): called a token, and no secret; without it nobody could follow who held a job when. */
const LEASE_TOKEN = /^\d+\.\d+$/;
const REDACTED = '[redacted]';
const MAX_DEPTH = 8;

/** A copy of `value` in which every field with a secret's name is replaced, at any depth. */
export function redact(value: unknown, depth = 0): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (depth >= MAX_DEPTH) return '[deep]';
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  if (value instanceof Error) return redactError(value, depth);
  const plain = 'toJSON' in value && typeof value.toJSON === 'function' ? value.toJSON() : value;
  if (plain === null || typeof plain !== 'object') return plain;
  return Object.fromEntries(
    Object.entries(plain).map(([name, field]) => [name, isSecret(name, field) ? REDACTED : redact(field, depth + 1)]),
  );
}

/** With what our own errors carry besides (code, hint), and with their cause. */
function redactError(error: Error, depth: number): unknown {
  const { name, message, stack, cause } = error;
  const more = cause === undefined ? {} : { cause: redact(cause, depth + 1) };
  return { ...(redact({ ...error }, depth) as object), name, message, stack, ...more };
}

function isSecret(name: string, field: unknown): boolean {
  if (typeof field === 'boolean' || typeof field === 'number') return false;
  return SECRET_NAME.test(name) && !(typeof field === 'string' && LEASE_TOKEN.test(field));
}

const redactFields = winston.format((info) => {
  for (const name of Object.keys(info)) {
    if (name !== 'level' && name !== 'message') info[name] = redact({ [name]: info[name] }, 0)?.[name as never];
  }
  return info;
});

/**
 * @param format `json` for machines (journald, files), `text` for a terminal
 * @param program goes into each line, so that the logs of several programs can be merged
 */
export function createLogger(options: { program: string; level: string; format: 'json' | 'text' }): Logger {
  const { combine, timestamp, json, printf } = winston.format;
  const text = printf(({ timestamp: at, level, message, program: _program, ...fields }) => {
    const rest = Object.keys(fields).length > 0 ? ` ${JSON.stringify(fields)}` : '';
    return `${at} ${level.padEnd(5)} ${message}${rest}`;
  });
  return winston.createLogger({
    level: options.level,
    defaultMeta: { program: options.program },
    format: combine(redactFields(), timestamp(), options.format === 'json' ? json() : text),
    transports: [new winston.transports.Stream({ stream: process.stderr })],
  });
}
