/** The units of `systemd/`: what they say, and programs run under the system call filter that they ask for. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ToolResult, tryTool } from '../../../harness/tools.ts';

export const UNITS = join(import.meta.dirname, '../../../../systemd');

/** Every value that a unit gives to this setting, in order. */
export function valuesOf(unit: string, setting: string): string[] {
  const lines = readFileSync(join(UNITS, unit), 'utf8').split('\n');
  return lines.flatMap((line) => (line.startsWith(`${setting}=`) ? [line.slice(setting.length + 1)] : []));
}

/** Where the numbers of the system calls stand (linux-libc-dev). */
const NUMBERS = '/usr/include/x86_64-linux-gnu/asm/unistd_64.h';
const ANALYZE = '/usr/bin/systemd-analyze';

export const hasAnalyze = existsSync(ANALYZE);
/** Why no filter can be applied here; undefined when one can. */
export const filterMissing = [ANALYZE, NUMBERS, '/usr/bin/perl', '/usr/bin/qemu-system-x86_64'].find(
  (path) => !existsSync(path),
);

/** Names of the system calls that the unit allows (systemd.exec(5), SystemCallFilter=), with this systemd's sets. */
export async function allowedCalls(unit: string): Promise<Set<string>> {
  const allowed = new Set<string>();
  for (const value of valuesOf(unit, 'SystemCallFilter')) {
    const isDenial = value.startsWith('~');
    for (const name of value.replace('~', '').split(' '))
      for (const call of await expanded(name)) {
        if (isDenial) allowed.delete(call);
        else allowed.add(call);
      }
  }
  return allowed;
}

async function expanded(name: string): Promise<string[]> {
  if (!name.startsWith('@')) return [name];
  const { stdout } = await tryTool(ANALYZE, ['syscall-filter', name]);
  const members = stdout
    .split('\n')
    .slice(1)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  return (await Promise.all(members.map(expanded))).flat();
}

/** Runs a program to which the kernel answers EPERM for every system call that is not allowed. */
export async function runUnder(
  allowed: ReadonlySet<string>,
  program: string,
  args: readonly string[],
  input = '',
): Promise<ToolResult> {
  const header = readFileSync(NUMBERS, 'utf8');
  const numbers = [...header.matchAll(/#define __NR_(\w+)\s+(\d+)/g)].flatMap(([, name, number]) =>
    allowed.has(name ?? '') ? [Number(number)] : [],
  );
  return await tryTool('/usr/bin/perl', ['-e', APPLY, filterProgram(numbers).toString('hex'), program, ...args], {
    input,
    env: { ...process.env, NODE_OPTIONS: '' },
    signal: AbortSignal.timeout(30_000),
  });
}

/** linux/filter.h, linux/seccomp.h: load the call's number; equal to an allowed one: allow; else the error EPERM (1). */
function filterProgram(numbers: readonly number[]): Buffer {
  const step = (code: number, jt: number, jf: number, k: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt16LE(code, 0);
    bytes.writeUInt8(jt, 2);
    bytes.writeUInt8(jf, 3);
    bytes.writeUInt32LE(k, 4);
    return bytes;
  };
  const [load, equals, answer] = [0x20, 0x15, 0x06];
  const allow = numbers.flatMap((number) => [step(equals, 0, 1, number), step(answer, 0, 0, 0x7fff0000)]);
  return Buffer.concat([step(load, 0, 0, 0), ...allow, step(answer, 0, 0, 0x00050001)]);
}

/** prctl(2) is call 157: PR_SET_NO_NEW_PRIVS (38), then PR_SET_SECCOMP (22) with SECCOMP_MODE_FILTER (2). */
const APPLY = `
  my ($filter, @command) = (pack('H*', shift @ARGV), @ARGV);
  my $program = pack('S x6 P', length($filter) / 8, $filter);
  syscall(157, 38, 1, 0, 0, 0) == 0 or die "no_new_privs: $!";
  syscall(157, 22, 2, $program, 0, 0) == 0 or die "seccomp: $!";
  exec { $command[0] } @command or die "exec: $!";`;
