import { describe, expect, it } from '@jest/globals';
import type { Command } from 'commander';
import type { Context } from '../../../src/cli/context.ts';
import { createProgram } from '../../../src/cli/program.ts';

// Building the command line uses nothing of the context; only running a command does.
const program = createProgram({} as Context);

function commands(command: Command, path: readonly string[] = []): [string, Command][] {
  const name = [...path, command.name()];
  return [[name.join(' '), command], ...command.commands.flatMap((each) => commands(each, name))];
}
const all = commands(program);

describe('the command line', () => {
  it('has what the guide promises', () => {
    const names = all.map(([name]) => name);
    const promised = [
      ...['login', 'logout', 'status', 'audit', 'export qemu'],
      ...['location create', 'location list', 'location delete'],
      ...['connector pair', 'connector list', 'connector show', 'connector pending', 'connector confirm'],
      ...['connector trust', 'connector lost', 'connector remove'],
      ...['credential set', 'credential list', 'credential delete', 'token create', 'token list', 'token delete'],
      ...['job show', 'job list', 'job wait', 'job cancel', 'job log'],
    ];
    expect(names).toEqual(expect.arrayContaining(promised.map((name) => `ips ${name}`)));
  });

  it.each(all)('%s has a description, and one for each option and argument', (_, command) => {
    expect(command.description()).not.toBe('');
    for (const option of command.options) expect(option.description).not.toBe('');
  });

  it.each(all)('%s takes no secret as an option or argument', (_, command) => {
    const secret = /password|secret|token|key$/;
    for (const option of command.options) {
      if (!secret.test(option.attributeName().toLowerCase())) continue;
      const harmless = /(File|Stdin)$|^idempotencyKey$/.test(option.attributeName());
      expect({ option: option.flags, harmless }).toEqual({ option: option.flags, harmless: true });
      if (option.attributeName().endsWith('Stdin')) expect(option.isBoolean()).toBe(true);
    }
    for (const argument of command.registeredArguments) expect(argument.name()).not.toMatch(secret);
  });
});
