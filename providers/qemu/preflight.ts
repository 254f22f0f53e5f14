/** What is looked at before anything is made: the source with all its files, the engine image, QEMU itself. */
import type { Clock } from '../../src/lib/clock.ts';
import type { Processes } from '../../src/lib/processes.ts';
import { IpsError, toIpsError } from '../../src/protocol/errors.ts';
import type { Finding } from '../../src/protocol/finding.ts';
import type { QemuSource } from '../../src/protocol/job.ts';
import { emulatorVersion } from './accelerator.ts';
import { verifyEngineImage } from './engine-image.ts';
import type { ImageFile } from './image-chain.ts';
import { formatOf, looksLike } from './image-format.ts';
import type { QemuImg } from './qemu-img.ts';
import type { QemuSettings } from './settings.ts';
import { openSource, type Source } from './source.ts';
import type { SourceFolders } from './source-folders.ts';

const SECTOR = 512;

interface PreflightTools {
  settings: QemuSettings;
  folders: SourceFolders;
  qemuImg: QemuImg;
  processes: Processes;
  clock: Clock;
}

/** All findings; a failed check is a critical one, and does not keep the others from being made. */
export async function preflight(tools: PreflightTools, source: QemuSource, signal: AbortSignal): Promise<Finding[]> {
  const findings: Finding[] = [];
  const check = async (look: () => Promise<unknown>) => {
    try {
      await look();
    } catch (error) {
      signal.throwIfAborted();
      const { code, message, hint } = toIpsError(error).report();
      findings.push({ severity: 'critical', code, message, remedy: hint });
    }
  };
  await check(async () => judge(source, await openSource(tools, source, signal)));
  await check(async () => verifyEngineImage(tools.settings.engineImageFolder, signal));
  await check(async () => emulatorVersion(tools, signal));
  return findings;
}

async function judge(source: QemuSource, { image, virtualSize }: Source): Promise<void> {
  if (virtualSize === 0) throw new IpsError('SOURCE_UNREADABLE', `${source.path} is empty.`);
  await refuseDisguise(source, image);
  if (virtualSize % SECTOR !== 0)
    throw new IpsError('TARGET_FORMAT_REFUSED', `It has ${virtualSize} bytes, which is no whole number of sectors.`, {
      hint: `Make it whole with "qemu-img resize", then start the job again.`,
    });
}

/** A file that an extension calls raw but that looks like an image would be exported as a disk full of image format. */
async function refuseDisguise(source: QemuSource, image: ImageFile): Promise<void> {
  if (source.format !== undefined || formatOf(source) !== 'raw') return;
  const looks = await looksLike(image.path);
  if (looks === undefined) return;
  throw new IpsError('SOURCE_UNREADABLE', `${source.path} is named like a raw disk and begins like ${looks}.`, {
    hint: `Say which it is: --disk-format ${looks} or --disk-format raw.`,
  });
}
