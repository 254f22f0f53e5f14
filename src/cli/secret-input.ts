/** Secrets come from a prompt without echo, a file, or standard input; never from an argument. */
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { addAbortSignal, Writable } from 'node:stream';
import { Secret } from '../lib/secret.ts';
import { IpsError } from '../protocol/errors.ts';

export interface SecretSource {
  /** A file with the secret; one line feed at its end does not count. */
  file?: string | undefined;
  /** Read standard input to its end. */
  stdin?: boolean | undefined;
}

/**
 * @param what for the prompt and the errors, for example `password`
 * @param interrupted ends the waiting for input
 * @throws IpsError USAGE when there is nothing to read it from, or it is empty; INTERRUPTED
 */
export async function readSecret(what: string, source: SecretSource, interrupted: AbortSignal): Promise<Secret> {
  const text = await readText(what, source, interrupted).catch((error: unknown) => {
    throw interrupted.aborted ? new IpsError('INTERRUPTED', undefined, { hint: 'Nothing was sent yet.' }) : error;
  });
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') throw new IpsError('USAGE', `The ${what} is empty.`);
  return new Secret(secret);
}

async function readText(what: string, source: SecretSource, interrupted: AbortSignal): Promise<string> {
  if (source.file !== undefined) {
    try {
      return await readFile(source.file, 'utf8');
    } catch (error) {
      throw new IpsError('USAGE', `The file with the ${what} cannot be read: ${(error as Error).message}.`);
    }
  }
  if (source.stdin) {
    const chunks: Buffer[] = [];
    for await (const chunk of addAbortSignal(interrupted, process.stdin)) chunks.push(chunk);
    return Buffer.concat(chunks).toString('utf8');
  }
  if (!process.stdin.isTTY)
    throw new IpsError('USAGE', `There is no terminal to ask for the ${what}; use --${what}-file or --${what}-stdin.`);
  return await prompt(`${what[0]?.toUpperCase()}${what.slice(1)}: `, interrupted);
}

function prompt(question: string, interrupted: AbortSignal): Promise<string> {
  // Readline edits the line but what it would echo goes nowhere. It stops the terminal's own echo, so it comes before
  // the question: what is typed at the question's sight is not shown.
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true });
  process.stderr.write(question);
  return new Promise<string>((resolve, reject) => {
    interrupted.addEventListener('abort', () => lines.close(), { once: true });
    lines.once('line', (line) => {
      resolve(line);
      lines.close();
    });
    // Ctrl-C is a key now: hand it on as the signal that it is elsewhere.
    lines.once('SIGINT', () => process.emit('SIGINT', 'SIGINT'));
    lines.once('close', () => {
      process.stderr.write('\n');
      reject(new IpsError('USAGE', 'The input ended.'));
    });
  });
}
