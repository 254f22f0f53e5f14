/**
 * qemu-img, asked about images that a stranger may have made: limited in processor time, memory and wall time, with an
 * environment of its own, and given whole block graphs rather than names.
 */
import { z } from 'zod';
import type { Clock } from '../../src/lib/clock.ts';
import type { Processes, Ran } from '../../src/lib/processes.ts';
import { IpsError } from '../../src/protocol/errors.ts';
import { chainNode, singleNode } from './blockdev.ts';
import { runContained } from './contained.ts';
import { ExtentCollector } from './extent-collector.ts';
import type { ImageFile } from './image-chain.ts';

/** Seconds of processor time, seconds of wall time. */
const LOOK = { cpu: 30, wall: 60 } as const;
const MAP = { cpu: 300, wall: 600 } as const;
/** What it may write to. Address space is no measure: each of up to 64 threads reserves some, and uses next to nothing. */
const MEMORY_BYTES = 1024 ** 3;

/** What `qemu-img info --output=json` says, as far as it matters here. Sizes in bytes. */
const infoSchema = z.object({ 'virtual-size': z.int().min(0), encrypted: z.boolean().optional() });
const mapEntrySchema = z.object({ start: z.int().min(0), length: z.int().min(0), zero: z.boolean() });

/** QEMU's words when another process holds a lock on the file (block/file-posix.c). */
const LOCKED = /Failed to get .{0,40}lock/;

/** Whether QEMU said that another process has an image open. */
export function saysLocked(output: string): boolean {
  return LOCKED.test(output);
}

export class QemuImg {
  readonly #tools: { processes: Processes; clock: Clock };

  constructor(tools: { processes: Processes; clock: Clock }) {
    this.#tools = tools;
  }

  /**
   * The virtual size of one file of a chain, in bytes.
   * @throws IpsError SOURCE_IN_USE when a virtual machine has it open for writing, SOURCE_UNREADABLE
   */
  async virtualSize(image: ImageFile, signal: AbortSignal): Promise<number> {
    const ran = await this.#run('info', ['info', '--output=json', asName(singleNode(image))], LOOK, signal);
    failed(ran, image.path);
    const info = infoSchema.parse(JSON.parse(ran.stdout));
    if (info.encrypted) throw new IpsError('SOURCE_UNREADABLE', `${image.path} is encrypted.`);
    return info['virtual-size'];
  }

  /**
   * The ranges of the whole chain that may hold data.
   * @param size of the disk, in bytes
   * @throws IpsError SOURCE_IN_USE, SOURCE_UNREADABLE
   */
  async dataExtents(
    image: ImageFile,
    size: number,
    signal: AbortSignal,
  ): Promise<{ extents: [number, number][]; bytes: number }> {
    const collector = new ExtentCollector(size);
    let odd: string | undefined;
    const eachLine = (line: string) => {
      // One entry a line: "[{…}," at first, then "{…}," and "{…}]" at last.
      const entry = parseEntry(line.replace(/^\[/, '').replace(/[,\]]+$/, ''));
      if (entry === undefined) odd ??= line.slice(0, 200);
      else if (!entry.zero) collector.add(entry.start, entry.length);
    };
    const ran = await this.#run('map', ['map', '--output=json', asName(chainNode(image))], MAP, signal, eachLine);
    failed(ran, image.path);
    if (odd !== undefined) throw new IpsError('SOURCE_UNREADABLE', `qemu-img map said "${odd}".`);
    return collector.finish();
  }

  async #run(
    point: string,
    args: readonly string[],
    limits: { cpu: number; wall: number },
    signal: AbortSignal,
    eachLine?: (line: string) => void,
  ): Promise<Ran> {
    const tooLong = () => new IpsError('SOURCE_UNREADABLE', `qemu-img ${point} took more than ${limits.wall} s.`);
    const bounds = {
      limits: [`--cpu=${limits.cpu}`, `--data=${MEMORY_BYTES}`],
      point: `qemu-img.${point}`,
      wallMs: limits.wall * 1000,
      late: tooLong,
    };
    return await runContained(this.#tools, { program: 'qemu-img', args, eachLine, ...bounds }, signal);
  }
}

const asName = (node: object): string => `json:${JSON.stringify(node)}`;

function parseEntry(text: string): z.infer<typeof mapEntrySchema> | undefined {
  try {
    return mapEntrySchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function failed(ran: Ran, path: string): void {
  if (ran.code === 0) return;
  if (saysLocked(ran.stderr)) throw new IpsError('SOURCE_IN_USE', `It is ${path}.`);
  if (ran.code === undefined)
    throw new IpsError('SOURCE_UNREADABLE', `qemu-img exceeded its limits (${ran.signal ?? 'killed'}) on ${path}.`);
  throw new IpsError('SOURCE_UNREADABLE', `${path}: ${lastLine(ran.stderr)}`);
}

/** The last thing that a QEMU program said, without the block graph that it repeats before it. */
export function lastLine(stderr: string): string {
  const line = stderr.trim().split('\n').at(-1) ?? '';
  const message = line.replace(/^qemu-[\w-]+: /, '').replace(/json:\{.*\}'?(, driver[^:]*)?: /, '');
  return message.slice(0, 500);
}
