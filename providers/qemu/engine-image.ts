/** The engine's boot image on this machine: three files and a manifest that says what they must be. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readRegion } from '../../src/lib/files.ts';
import { IpsError } from '../../src/protocol/errors.ts';

export interface EngineImage {
  version: string;
  kernel: string;
  initrd: string;
  root: string;
}

const fileSchema = z.object({ size: z.int(), sha256: z.string() });
const manifestSchema = z.object({
  version: z.string(),
  files: z.object({ vmlinuz: fileSchema, initrd: fileSchema, 'root.sqfs': fileSchema }),
});

/**
 * Reads the manifest and compares each file with it, byte for byte.
 * @throws IpsError ENGINE_IMAGE_MISSING
 */
export async function verifyEngineImage(folder: string, signal: AbortSignal): Promise<EngineImage> {
  const path = join(folder, 'manifest.json');
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) throw new IpsError('ENGINE_IMAGE_MISSING', `There is no ${path}.`);
  const manifest = parse(text);
  if (!manifest) throw new IpsError('ENGINE_IMAGE_MISSING', `${path} is no manifest of an engine image.`);
  for (const [name, expected] of Object.entries(manifest.files)) {
    const found = await sha256(join(folder, name), signal);
    if (found === undefined) throw new IpsError('ENGINE_IMAGE_MISSING', `${join(folder, name)} cannot be read.`);
    if (found !== expected.sha256)
      throw new IpsError('ENGINE_IMAGE_MISSING', `${join(folder, name)} is not the file that its manifest names.`);
  }
  return { version: manifest.version, ...imagePaths(folder) };
}

/** Where the files lie, whether or not they are there. */
export function imagePaths(folder: string): Omit<EngineImage, 'version'> {
  return { kernel: join(folder, 'vmlinuz'), initrd: join(folder, 'initrd'), root: join(folder, 'root.sqfs') };
}

function parse(text: string): z.infer<typeof manifestSchema> | undefined {
  try {
    return manifestSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

const CHUNK = 8 * 1024 * 1024;

async function sha256(path: string, signal: AbortSignal): Promise<string | undefined> {
  const hash = createHash('sha256');
  try {
    for (let offset = 0; ; offset += CHUNK) {
      signal.throwIfAborted();
      const chunk = await readRegion(path, offset, CHUNK);
      hash.update(chunk);
      if (chunk.length < CHUNK) return hash.digest('hex');
    }
  } catch {
    signal.throwIfAborted();
    return undefined;
  }
}
