/**
 * Structured logs through winston: one JSON object a line on standard error, or plain lines for a person.
 * Secrets are kept out twice: they travel as `Secret` (which prints a placeholder), and fields whose name says
 * "secret" are redacted here.
 */
import winston from 'winston';

export type Logger = winston.Logger;

const SECRET_NAME = /pass(word|wd|phrase)|secret|token$|authorization|psk|private.?key|pairing.?code|envelope/i;
const REDACTED = '[redacted]';
const MAX_DEPTH = 8;

/** A copy of `value` in which every field with a secret's name is replaced, at any depth. */
export function redact(value: unknown, depth = 0): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (depth >= MAX_DEPTH) return '[deep]';
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  if (value instanceof Error) return { name: value.name, message: value.message, stack: value.stack };
  const plain = 'toJSON' in value && typeof value.toJSON === 'function' ? value.toJSON() : value;
  if (plain === null || typeof plain !== 'object') return plain;
  return Object.fromEntries(
    Object.entries(plain).map(([name, field]) => [
      name,
      SECRET_NAME.test(name) && typeof field !== 'boolean' && typeof field !== 'number'
        ? REDACTED
        : redact(field, depth + 1),
    ]),
  );
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
